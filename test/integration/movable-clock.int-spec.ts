import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Clock } from '../../src/platform/clock/clock.js';
import { eventually, startSystem, type System } from '../support/system.js';

const BEGIN = Date.parse('2023-10-03T12:00:00Z');
const DAY_MS = 86_400_000;
const MOVES = 300;

describe('the movable clock', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
  });
  afterAll(async () => system.stop());

  const daysOf = (clock: Clock) => Math.floor((clock.now().getTime() - BEGIN) / DAY_MS);

  it('stands where it was moved last: what it hears of an earlier move does not take it back', async () => {
    const clock = system.app.get(Clock);
    const wrong: number[] = [];
    for (let day = 1; day <= MOVES; day += 1) {
      await system.moveTo(new Date(BEGIN + day * DAY_MS));
      for (let turns = 0; turns < 5; turns += 1) {
        if (daysOf(clock) !== day) wrong.push(day);
        await turn();
      }
    }
    expect(wrong).toEqual([]);
    const follower = system.worker!.get(Clock);
    await eventually(async () => Promise.resolve(daysOf(follower) === MOVES));
  });
});
