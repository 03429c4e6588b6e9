import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadRules } from '../../../../platform/config/load-config.js';
import { marketFaults } from '../domain/feed-checks.js';
import type { FeedMarket } from '../sports-feed.js';
import { ReplayFeed } from './replay-feed.js';
import { apart, readReplaySeason, type ReplayGame } from './replay-season.js';

const ROOT = join(import.meta.dirname, '../../../../..');
const { checks, replay } = loadRules(join(ROOT, 'config')).sports;
const SOCCER = join(ROOT, 'test/fixtures/importers/football-data-2223.csv');
const SLOT_MS = replay.everyMinutes * 60_000;
const PLAY_MS = replay.playMinutes * 60_000;
const HORIZON_MS = replay.horizonHours * 3_600_000;
const START = Date.parse('2023-10-08T17:00:00Z');

let season: ReplayGame[];
beforeAll(async () => {
  season = await readReplaySeason(
    replay.files.map((file) => join(ROOT, file)),
    replay.everyMinutes,
  );
});

const at = (ms: number, games = season) => new ReplayFeed(games, replay, { now: () => new Date(ms) });
/** Some moment of some years. */
const moments = fc.integer({ min: Date.parse('2020-01-01'), max: Date.parse('2035-01-01') });
const slotOf = (externalId: string) => Number(externalId.split('-')[2]);
const real = (slot: number): ReplayGame => season[slot % season.length]!;

describe('a season that is replayed', () => {
  it('tells the same at the same time, whoever asks', async () => {
    await fc.assert(
      fc.asyncProperty(moments, async (ms) => {
        for (const kind of ['schedule', 'odds', 'scores', 'results'] as const)
          expect(await at(ms)[kind]()).toEqual(await at(ms, structuredClone(season))[kind]());
      }),
      { numRuns: 5 },
    );
  });

  it('has a game every slot of the horizon, under the same id as long as it is told of', async () => {
    const now = await at(START + 1).schedule();
    expect(now).toHaveLength(HORIZON_MS / SLOT_MS);
    expect(now[0]!.startsAt).toEqual(new Date(START + SLOT_MS));
    expect(slotOf(now[0]!.externalId)).toBe(START / SLOT_MS + 1);
    const later = new Map((await at(START + 5 * SLOT_MS).schedule()).map((game) => [game.externalId, game]));
    for (const game of now.slice(5)) expect(later.get(game.externalId)).toEqual(game);
  });

  it('has other ids when other games, or slots of another length, are replayed', async () => {
    const idsOf = async (games: readonly ReplayGame[], everyMinutes: number) =>
      new Set(
        (
          await new ReplayFeed(games, Object.assign(structuredClone(replay), { everyMinutes }), {
            now: () => new Date(START),
          }).schedule()
        ).map(({ externalId }) => externalId),
      );
    const usual = await idsOf(season, replay.everyMinutes);
    expect(await idsOf(structuredClone(season), replay.everyMinutes)).toEqual(usual);
    for (const other of [
      await idsOf(season.slice(1), replay.everyMinutes),
      await idsOf(season.toReversed(), replay.everyMinutes),
      await idsOf(season, replay.everyMinutes * 2),
    ])
      expect([...other].filter((id) => usual.has(id))).toEqual([]);
  });

  it('lets no two teams meet twice in a day, in no part of it', async () => {
    const distance = (24 * 60) / replay.everyMinutes;
    const teams = season.map(({ homeTeam, awayTeam }) => [homeTeam, awayTeam].toSorted().join());
    expect(season).toHaveLength(285);
    const twice = teams.filter((pair, index) =>
      Array.from({ length: distance }, (_, ahead) => teams[(index + ahead + 1) % teams.length]).includes(
        pair,
      ),
    );
    expect(twice).toEqual([]);
  });

  it('puts games that cannot be kept apart somewhere all the same', () => {
    const games = [1, 2, 3].map((id) => ({ id, homeTeam: 'a', awayTeam: 'b' }));
    expect(new Set(apart(games, 10).map(({ id }) => id))).toEqual(new Set([1, 2, 3]));
  });

  it('gives prices that pass every check, at any time before the start', async () => {
    await fc.assert(
      fc.asyncProperty(moments, async (ms) => {
        const odds = await at(ms).odds();
        expect(odds.flatMap(({ markets }) => marketFaults('american_football', markets, checks))).toEqual([]);
        for (const { externalId, markets } of odds)
          expect(markets.map(({ kind }) => kind)).toEqual(
            real(slotOf(externalId)).markets.map(({ kind }) => kind),
          );
      }),
      { numRuns: 40 },
    );
  });

  it('moves lines by half points, not far, and closes as it really closed', async () => {
    const slot = START / SLOT_MS + 90;
    const before = async (ms: number): Promise<readonly FeedMarket[]> =>
      (await at(slot * SLOT_MS - ms).odds()).find(({ externalId }) => slotOf(externalId) === slot)!.markets;
    const { markets } = real(slot);
    for (const ms of [1, 1000, 60_000]) expect(await before(ms)).toEqual(markets);
    const index = {
      spread: markets.findIndex(({ kind }) => kind === 'spread'),
      total: markets.findIndex(({ kind }) => kind === 'total'),
    };
    for (const kind of ['spread', 'total'] as const) {
      const seen = new Set<number>();
      for (let ms = 120_000; ms < HORIZON_MS; ms += 900_000)
        seen.add(Number((await before(ms))[index[kind]]!.line) - Number(markets[index[kind]]!.line));
      expect([...seen].filter((moved) => !Number.isInteger(moved * 2) || Math.abs(moved) > 4)).toEqual([]);
      expect(seen.size).toBeGreaterThan(1);
    }
  });

  it('moves some price every few seconds in the last hours', async () => {
    let before = JSON.stringify(await at(START).odds());
    let changes = 0;
    for (let second = 5; second <= 600; second += 5) {
      const now = JSON.stringify(await at(START + second * 1000).odds());
      if (now !== before) changes += 1;
      before = now;
    }
    expect(changes).toBeGreaterThan(40);
  });

  it('never takes points away, and ends as the game really ended, period by period', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 284 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 12 }),
        async (index, parts) => {
          const slot = 285 * 3000 + index;
          const game = real(slot);
          let [home, away, minutes] = [0, 0, 0];
          for (const part of parts.toSorted((a, b) => a - b)) {
            const ms = slot * SLOT_MS + Math.floor(part * (PLAY_MS - 1));
            const score = (await at(ms).scores()).find(({ externalId }) => slotOf(externalId) === slot)!;
            expect(score.home).toBeGreaterThanOrEqual(home);
            expect(score.away).toBeGreaterThanOrEqual(away);
            expect(score.minutesPlayed).toBeGreaterThanOrEqual(minutes);
            expect(score.periods!.reduce((sum, [one]) => sum + one, 0)).toBe(score.home);
            expect(score.periods!.reduce((sum, [, one]) => sum + one, 0)).toBe(score.away);
            [home, away, minutes] = [score.home, score.away, score.minutesPlayed!];
          }
          const result = (await at(slot * SLOT_MS + PLAY_MS).results()).find(
            ({ externalId }) => slotOf(externalId) === slot,
          )!;
          expect(result).toMatchObject({ status: 'final', home: game.score.home, away: game.score.away });
          expect(home).toBeLessThanOrEqual(result.home!);
          expect(away).toBeLessThanOrEqual(result.away!);
          expect(result.periods).toHaveLength(game.score.overtime ? 5 : 4);
          const sums = result.periods!.reduce(([h, a], [one, other]) => [h + one, a + other], [0, 0]);
          expect(sums).toEqual([game.score.home, game.score.away]);
          const [level, other] = result
            .periods!.slice(0, 4)
            .reduce(([h, a], [one, two]) => [h + one, a + two], [0, 0]) as [number, number];
          expect(game.score.overtime && level !== other).toBe(false);
        },
      ),
      { numRuns: 120 },
    );
  });

  it('is on the schedule, then in play, then over: each at its time', async () => {
    const slot = START / SLOT_MS;
    const where = async (ms: number) => {
      const feed = at(ms);
      const [games, scores, results] = await Promise.all([feed.schedule(), feed.scores(), feed.results()]);
      return [games, scores, results].map((told) =>
        told.some(({ externalId }) => slotOf(externalId) === slot),
      );
    };
    expect(await where(START - 1)).toEqual([true, false, false]);
    expect(await where(START)).toEqual([false, true, false]);
    expect(await where(START + PLAY_MS - 1)).toEqual([false, true, false]);
    expect(await where(START + PLAY_MS)).toEqual([false, false, true]);
    expect(await where(START + PLAY_MS + 6 * 86_400_000)).toEqual([false, false, true]);
    expect(await where(START + PLAY_MS + 8 * 86_400_000)).toEqual([false, false, false]);
  });

  it('replays soccer too, with prices as decimals and two halves', async () => {
    const games = await readReplaySeason([SOCCER], replay.everyMinutes);
    const odds = await at(START + 1000, games).odds();
    expect(odds.length).toBe(HORIZON_MS / SLOT_MS);
    const found = odds.flatMap(({ markets }) => marketFaults('soccer', markets, checks));
    expect(found).toEqual([]);
    const [result] = await at(START, games).results();
    expect(result!.periods).toHaveLength(2);
  });
});
