import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openSeason, type SeasonProgress } from './read-season-file.js';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

const ROOT = join(import.meta.dirname, '../../../..');
const FIXTURES = join(ROOT, 'test/fixtures/importers');

describe('openSeason', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'season-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function write(text: string): Promise<string> {
    const path = join(directory, 'season.csv');
    await writeFile(path, text);
    return path;
  }

  it.each([
    ['nflverse.csv', 'nflverse', 13],
    ['football-data-2223.csv', 'football-data', 10],
    ['football-data-1213-latin1.csv', 'football-data', 6],
  ] as const)('tells the format of %s by its header: %s', async (name, format, count) => {
    const season = await openSeason(join(FIXTURES, name));
    expect(season.format).toBe(format);
    const rows = await collect(season);
    expect(rows.flatMap((row) => ('game' in row ? [row.game.source] : []))).toEqual(
      Array(count).fill(format),
    );
  });

  it('can be read again from the start, also after a reading that was left early', async () => {
    const season = await openSeason(join(FIXTURES, 'football-data-2223.csv'));
    for await (const row of season) {
      expect(row).toHaveProperty('game');
      break;
    }
    expect(await collect(season)).toHaveLength(10);
    expect(await collect(season)).toHaveLength(10);
  });

  it('tells progress in bytes up to the whole file', async () => {
    const told: SeasonProgress[] = [];
    const path = join(ROOT, 'data/seasons/nfl-2022.csv');
    const season = await openSeason(path, { onProgress: (progress) => told.push(progress) });
    await collect(season);
    const bytes = told.map(({ bytesRead }) => bytesRead);
    expect(told.length).toBeGreaterThan(1);
    expect(bytes).toEqual(bytes.toSorted((one, other) => one - other));
    expect(told.at(-1)).toEqual({ bytesRead: season.totalBytes, totalBytes: season.totalBytes });
  });

  it('passes the seasons asked for on', async () => {
    const season = await openSeason(join(FIXTURES, 'nflverse.csv'), { seasons: [2023] });
    expect(await collect(season)).toHaveLength(4);
  });

  it('refuses a file of no known format, naming what each lacks and the nearer one’s columns', async () => {
    const path = await write('Div,Date,HomeTeam,AwayTeam,FTHG\nE0,05/08/2022,Leeds,Wolves,2\n');
    await expect(openSeason(path)).rejects.toMatchObject({
      code: 'SEASON_FILE_HEADER',
      message: expect.stringMatching(/for nflverse it lacks game_id, .*; for football-data it lacks FTAG$/),
      missingColumns: ['FTAG'],
    });
  });

  it.each([
    ['', 'SEASON_FILE_EMPTY'],
    ['\n\n', 'SEASON_FILE_EMPTY'],
    ['"never closed', 'SEASON_FILE_BROKEN'],
    ['\u0000\u0001\u0002', 'SEASON_FILE_HEADER'],
  ])('refuses the file %j as %s', async (text, code) => {
    await expect(openSeason(await write(text))).rejects.toMatchObject({ code });
  });

  it('hands on the system’s error for a file that is not there', async () => {
    await expect(openSeason(join(directory, 'none.csv'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
