import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import type { GameReport } from '../../src/modules/sports/sports.types.js';
import { Builders, unbalanced } from './builders.js';
import type { Client } from './client.js';
import type { RuleChanges } from './config-dir.js';
import { Deliveries } from './deliveries.js';
import { brokenHistories } from './fresh-grades.js';
import { startSystemWithRules } from './rules-folder.js';
import type { System } from './system.js';

export const WEEK = 202340;
/** Of a Tuesday of that week: before a game, its start, and when it is over. */
export const BEFORE = '2023-10-03T12:00:00Z';
export const START = '2023-10-03T17:00:00Z';
export const AFTER = '2023-10-03T20:30:00Z';
/** How a feed reports: its word waits for its confirmation. */
export const FEED = { confirm: 'later' } as const;

export interface PlayedWeek {
  system: System;
  make: Builders;
  /** In place of a worker: what results lead to is done when the test says so. */
  deliveries: Deliveries;
  results: ResultsService;
  admin: Client;
}

/** A system in which the week is being played. */
export async function startPlayedWeek(changes: RuleChanges = {}, at = BEFORE): Promise<PlayedWeek> {
  const system = await startSystemWithRules(changes, { worker: false, at });
  try {
    const make = new Builders(system);
    await make.week(WEEK);
    const admin = await make.admin();
    const results = system.app.get(ResultsService);
    return { system, make, deliveries: new Deliveries(system), results, admin };
  } catch (error) {
    await system.stop();
    throw error;
  }
}

/**
 * For a file of tests, each with a player of its own before the game has begun. After each all is delivered, every credit is there,
 * and what has become of bets holds together.
 */
export function playsWeek(
  changes: RuleChanges,
  begin: (week: PlayedWeek & { player: Client }) => void,
): void {
  let week: PlayedWeek;
  beforeAll(async () => {
    week = await startPlayedWeek(changes);
  });
  afterAll(async () => week.system.stop());
  beforeEach(async () => {
    await week.system.moveTo(BEFORE);
    begin({ ...week, player: await week.make.member(WEEK) });
  });
  afterEach(async () => {
    await week.deliveries.all();
    expect(await unbalanced(week.system)).toEqual([]);
    expect(await brokenHistories(week.system)).toEqual([]);
  });
}

export const final = (homeScore: number, awayScore: number, reason?: string): GameReport => ({
  status: 'final',
  homeScore,
  awayScore,
  ...(reason === undefined ? {} : { reason }),
});
