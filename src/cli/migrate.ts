import { commandEnvironment } from '../platform/config/command-environment.js';
import { runMigrations } from '../platform/database/migrate.js';

const { directDatabaseUrl: url } = commandEnvironment();
if (url === undefined) {
  process.stderr.write('Set DATABASE_DIRECT_URL or DATABASE_URL to the database to migrate.\n');
  process.exit(1);
}
const applied = await runMigrations(url);
process.stdout.write(
  applied.length === 0 ? 'The schema is up to date.\n' : `Applied ${applied.join(', ')}.\n`,
);
