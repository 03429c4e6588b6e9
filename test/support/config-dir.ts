import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { parse, stringify } from 'yaml';

/** What to change of `config/*.yml`, by file: `{ settlement: { chunkBets: 50 } }`. */
export type RuleChanges = Readonly<Record<string, object>>;

const CONFIG = join(import.meta.dirname, '..', '..', 'config');

/** Passwords cost as little as is allowed: tests hash them by the thousand. */
const CHEAP: RuleChanges = { auth: { argon2: { memoryCost: 19_456, timeCost: 1, parallelism: 1 } } };

/** A copy of `config/` in which passwords are cheap and some rules are others. Its path is a CONFIG_DIR. */
export function configDir(changes: RuleChanges): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'parley-config-'));
  write(path, changes);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The CONFIG_DIR of tests that change no rule, one a worker, which is removed with the run's folder. */
export function usualConfigDir(): string {
  const parent = process.env['PARLEY_TEST_FOLDER'];
  if (parent === undefined) throw new Error("PARLEY_TEST_FOLDER is not set: Jest's global setup sets it");
  const path = join(parent, `config-${threadId}`);
  if (!existsSync(path)) write(path, {});
  return path;
}

function write(path: string, changes: RuleChanges): void {
  cpSync(CONFIG, path, { recursive: true });
  for (const name of new Set([...Object.keys(CHEAP), ...Object.keys(changes)])) {
    const file = join(path, `${name}.yml`);
    const rules = parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, stringify({ ...rules, ...CHEAP[name], ...changes[name] }));
  }
}
