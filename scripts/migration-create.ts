/** Makes an empty migration with the next timestamp: npm run migration:create -- add-something */
import { existsSync, writeFileSync } from 'node:fs';

const name = process.argv[2];
if (name === undefined || !/^[a-z][a-z0-9-]*$/.test(name)) {
  process.stderr.write(
    'Usage: npm run migration:create -- add-something (lower case, words joined by hyphens)\n',
  );
  process.exit(1);
}
const stamp = Date.now();
const file = `migrations/${stamp}-${name}.ts`;
if (existsSync(file)) throw new Error(`${file} exists`);
const className = name.replace(/(^|-)([a-z])/g, (_, _dash: string, letter: string) => letter.toUpperCase());
writeFileSync(
  file,
  `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ${className}${stamp} implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(\`\`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(\`\`);
  }
}
`,
);
process.stdout.write(`${file}\n`);
