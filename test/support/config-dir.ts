import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

const CONFIG = join(import.meta.dirname, '..', '..', 'config');

/** A copy of `config/` in which some rules are others: `{ settlement: { chunkBets: 50 } }`. Its path is a CONFIG_DIR. */
export function configDir(changes: Record<string, object>): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'parley-config-'));
  cpSync(CONFIG, path, { recursive: true });
  for (const [name, change] of Object.entries(changes)) {
    const file = join(path, `${name}.yml`);
    writeFileSync(file, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), ...change }));
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
