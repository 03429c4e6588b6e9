import { afterEach, beforeEach, expect } from '@jest/globals';
import { fingerprint } from './fingerprint.js';
import type { System } from './system.js';

/** For tests of what is refused: each leaves every table as it was. */
export function nothingChanges(system: () => System): void {
  let before: Record<string, string>;
  beforeEach(async () => {
    before = await fingerprint(system());
  });
  afterEach(async () => {
    expect(await fingerprint(system())).toEqual(before);
  });
}
