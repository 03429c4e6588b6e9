import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { startSystem, type System } from './system.js';

/** What to change of `config/*.yml`, by file: `{ pools: { maxSize: 4 } }`. */
export type RuleChanges = Record<string, Record<string, unknown>>;

const LONG = 400 * 86_400;

/** Sessions outlive every move of the clock, and are not idle after it. */
const LASTING: RuleChanges = {
  auth: {
    accessTokenSeconds: LONG,
    refreshTokenSeconds: LONG,
    idle: { seconds: LONG, policy: 'reauthenticate' },
  },
};

/** A system whose rules differ from `config/` in what is given. */
export async function startSystemWithRules(
  changes: RuleChanges,
  options: Parameters<typeof startSystem>[0] = {},
): Promise<System> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-rules-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    cpSync('config', folder, { recursive: true });
    for (const [name, change] of Object.entries({ ...LASTING, ...changes })) {
      const file = join(folder, `${name}.yml`);
      writeFileSync(file, stringify({ ...parse(readFileSync(file, 'utf8')), ...change }));
    }
    const system = await startSystem({ ...options, env: { ...options.env, CONFIG_DIR: folder } });
    return {
      ...system,
      stop: async () => {
        await system.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
