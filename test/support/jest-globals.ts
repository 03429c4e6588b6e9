import { addEventHandler, type State } from 'jest-circus';

/**
 * What `@jest/globals` is for the tests, which run in bare Node: see `typescript-hooks.ts`. The runner knows no time limits, so
 * each test and hook gets its own here.
 */

const LIMIT_MS = 60_000;

/** A test or a hook. */
interface Timed {
  fn?: unknown;
}

const globals = globalThis as unknown as Record<string, unknown>;

export const { describe, expect, it, test, beforeAll, beforeEach, afterAll, afterEach, jest } = globals;

addEventHandler((event, { currentDescribeBlock: block }: State) => {
  const child = block.children.at(-1);
  if (event.name === 'add_test' && child?.type === 'test') limit(child, event.timeout);
  if (event.name === 'add_hook') limit(block.hooks.at(-1), event.timeout);
});

function limit(added: Timed | undefined, timeout = LIMIT_MS): void {
  if (typeof added?.fn !== 'function') return;
  const fn = added.fn as () => unknown;
  added.fn = async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it took longer than ${timeout} ms`)), timeout);
    });
    try {
      await Promise.race([fn(), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
