import { configDir, type RuleChanges } from './config-dir.js';
import { startSystem, type System } from './system.js';

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
  const { path, remove } = configDir({ ...LASTING, ...changes });
  try {
    const system = await startSystem({ ...options, env: { ...options.env, CONFIG_DIR: path } });
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
