/**
 * Writes the pages that are made from the code that runs: `docs/errors.md`, `docs/openapi.json` and `docs/asyncapi.json`.
 * With `--check` it writes nothing and fails when a page is not as the code makes it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeProduct } from './openapi/document.js';
import { errorsPage } from './openapi/errors-page.js';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const folder = join(process.cwd(), 'docs');

const { document, sockets, catalogue } = await describeProduct();
const pages = {
  'errors.md': errorsPage(document, sockets, catalogue),
  'openapi.json': `${JSON.stringify(document, null, 2)}\n`,
  'asyncapi.json': `${JSON.stringify(sockets, null, 2)}\n`,
};

const outdated = Object.entries(pages).filter(([name, text]) => read(name) !== text);
if (values.check) {
  for (const [name] of outdated) console.error(`docs/${name} is not what the code says: run npm run docs`);
  if (outdated.length > 0) process.exitCode = 1;
  else console.log(`ok: ${Object.keys(pages).length} pages are as the code makes them`);
} else {
  for (const [name, text] of outdated) writeFileSync(join(folder, name), text);
  console.log(
    outdated.length === 0 ? 'nothing to write' : `wrote ${outdated.map(([name]) => name).join(', ')}`,
  );
}

function read(name: string): string | null {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
