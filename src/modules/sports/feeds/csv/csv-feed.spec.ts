import { copyFileSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Clock } from '../../../../platform/clock/clock.js';
import { CsvFeed } from './csv-feed.js';

const FIXTURES = join(import.meta.dirname, '../../../../../test/fixtures/importers');
const BEFORE = '2022-08-05T12:00:00Z';
const ONE = 'e0-2022-23-2022-08-06-fulham-liverpool';

class MovedClock extends Clock {
  instant = BEFORE;
  override now(): Date {
    return new Date(this.instant);
  }
}

describe('the feed of season files', () => {
  let folder: string;
  let clock: MovedClock;
  let feed: CsvFeed;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-csv-'));
    clock = new MovedClock();
    feed = new CsvFeed(folder, clock);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const put = (name: string, as = name) => copyFileSync(join(FIXTURES, name), join(folder, as));
  let changes = 0;
  /** Also within one tick of the file system's clock. */
  const change = (name: string, from: string, to: string) => {
    const path = join(folder, name);
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
    const changed = new Date(Date.UTC(2030, 0, 1, 0, 0, (changes += 1)));
    utimesSync(path, changed, changed);
  };

  it('that is taken up again answers in full at once', async () => {
    put('football-data-2223.csv');
    const first = await feed.odds();
    expect(await feed.odds()).toBeNull();
    feed.begin();
    expect(await feed.odds()).toEqual(first);
  });

  it('tells the games of every file and the prices of those that have not begun', async () => {
    put('football-data-2223.csv');
    put('nflverse.csv');
    const games = (await feed.schedule()) ?? [];
    expect(games.find(({ externalId }) => externalId === ONE)).toEqual({
      externalId: ONE,
      sport: 'soccer',
      league: 'EPL',
      season: '2022-23',
      homeTeam: 'Fulham',
      awayTeam: 'Liverpool',
      startsAt: new Date('2022-08-06T11:30:00Z'),
      neutral: false,
    });
    // Games of 2017 are history by then.
    expect(games).toHaveLength(22);
    const odds = (await feed.odds()) ?? [];
    expect(
      odds.find(({ externalId }) => externalId === ONE)?.markets.map(({ kind, line }) => [kind, line]),
    ).toEqual([
      ['three_way', null],
      ['spread', '1.75'],
      ['total', '2.5'],
    ]);
    expect(odds.map(({ externalId }) => externalId)).toEqual(games.map(({ externalId }) => externalId));
    expect(await feed.scores()).toEqual([]);
    // Lines without prices, of 2017.
    expect(feed.problems().map(({ reason }) => reason)).toEqual(['MARKET_INCOMPLETE', 'MARKET_INCOMPLETE']);
  });

  it('says nothing until a file has changed, and then what it says now', async () => {
    put('football-data-2223.csv');
    await feed.odds();
    expect([await feed.odds(), await feed.odds()]).toEqual([null, null]);
    change('football-data-2223.csv', '1.75,1.9,2.03,1.91,2,', '1.75,1.9,2.03,1.93,1.98,');
    const odds = (await feed.odds()) ?? [];
    expect(odds.find(({ externalId }) => externalId === ONE)?.markets[1]?.prices).toEqual([
      { outcome: 'home', decimal: '1.93' },
      { outcome: 'away', decimal: '1.98' },
    ]);
    expect(await feed.odds()).toBeNull();
    rmSync(join(folder, 'football-data-2223.csv'));
    expect(await feed.odds()).toEqual([]);
  });

  it('tells everything again after a minute', async () => {
    put('football-data-2223.csv');
    expect(await feed.schedule()).toHaveLength(10);
    expect(await feed.schedule()).toBeNull();
    clock.instant = '2022-08-05T12:01:00Z';
    expect(await feed.schedule()).toHaveLength(10);
  });

  it('has the result of a game that has begun, and no prices of it', async () => {
    put('football-data-2223.csv');
    expect(await feed.results()).toEqual([]);
    clock.instant = '2022-08-06T11:30:00Z';
    const results = (await feed.results()) ?? [];
    expect(results.map(({ externalId }) => externalId)).toEqual([
      'e0-2022-23-2022-08-05-crystal-palace-arsenal',
      ONE,
    ]);
    expect(results[1]).toEqual({ externalId: ONE, status: 'final', home: 2, away: 2 });
    expect((await feed.odds())?.some(({ externalId }) => externalId === ONE)).toBe(false);
    clock.instant = '2023-08-06T11:30:00Z';
    expect([await feed.schedule(), await feed.results()]).toEqual([[], []]);
  });

  it('leaves bad rows out and tells of each once', async () => {
    put('bad-rows-football-data.csv');
    expect(await feed.schedule()).toHaveLength(2);
    const problems = feed.problems();
    expect(problems).toHaveLength(16);
    expect(problems[0]).toEqual({
      kind: 'game',
      externalId: null,
      subject: 'bad-rows-football-data.csv:3',
      reason: 'ROW_BAD',
      details: { column: 'Date', value: '31/02/2023', problem: 'is no such day' },
    });
    expect(problems.at(-1)).toMatchObject({ kind: 'market', subject: 'total', reason: 'MARKET_INCOMPLETE' });
    await feed.odds();
    expect(feed.problems()).toEqual([]);
  });

  it('goes on with the other files when one is none, or has games of another', async () => {
    put('football-data-2223.csv');
    put('football-data-2223.csv', 'again.csv');
    writeFileSync(join(folder, 'empty.csv'), '');
    writeFileSync(join(folder, 'notes.txt'), 'no season');
    expect(await feed.schedule()).toHaveLength(10);
    const problems = feed.problems();
    expect(problems.filter(({ externalId }) => externalId === null)).toMatchObject([
      { subject: 'empty.csv' },
    ]);
    expect(problems.filter(({ externalId }) => externalId !== null)).toHaveLength(10);
    expect(problems.find(({ externalId }) => externalId === ONE)).toMatchObject({
      subject: 'football-data-2223.csv:3',
      details: { problem: 'is in another file too' },
    });
  });

  it('reads once for all that are asked at the same time', async () => {
    put('football-data-2223.csv');
    const [games, odds, results] = await Promise.all([feed.schedule(), feed.odds(), feed.results()]);
    expect([games?.length, odds?.length, results?.length]).toEqual([10, 10, 0]);
  });

  it('is silent when there is no such folder', async () => {
    const nowhere = new CsvFeed(join(folder, 'nowhere'), clock);
    for (const work of [nowhere.schedule(), nowhere.odds(), nowhere.scores(), nowhere.results()])
      await expect(work).rejects.toMatchObject({
        name: 'FeedSilence',
        message: 'the folder of season files cannot be read (ENOENT)',
      });
  });
});
