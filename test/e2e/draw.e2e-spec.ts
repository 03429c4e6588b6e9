import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';

const WEEK = 202340;
/** More than a page of the proof, and no multiple of the pools. */
const PLAYERS = 1030;
const PAGE = join(import.meta.dirname, '../../docs/draw.md');

/** Runs the program of docs/draw.md, word for word, as anybody would. */
describe("the draw's proof", () => {
  let system: System;
  let player: Client;
  let folder: string;
  let announced: { seedHash: string };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parley-draw-'));
    const program = /```js\n([\s\S]*?)```/.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '';
    writeFileSync(join(folder, 'replay.mjs'), program);
    system = await startSystem({ worker: false, at: '2023-10-01T12:00:00Z' });
    const make = new Builders(system);
    await make.week(WEEK, { group: false });
    [player] = (await make.players(PLAYERS, { pass: WEEK })) as [Client];
    announced = (await player.get('weeks/2023-W40/draw')).data;
    const { GroupingService } = await import('../../src/modules/pools/grouping.service.js');
    await system.db.query('UPDATE weeks SET starts_at = $2 WHERE id = $1', [WEEK, system.now()]);
    await system.app.get(GroupingService).group(WEEK, null);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await system.stop();
  });

  async function replay(url: string): Promise<{ agrees: Record<string, boolean>; status: number }> {
    return await new Promise((resolve, reject) => {
      const args = [join(folder, 'replay.mjs'), url, '2023-W40', String(player.token)];
      execFile(process.execPath, args, { env: { PATH: process.env['PATH'] } }, (error, stdout, stderr) => {
        if (stdout === '') reject(new Error(stderr));
        else
          resolve({ agrees: JSON.parse(stdout), status: typeof error?.code === 'number' ? error.code : 0 });
      });
    });
  }

  it('binds the operator to a seed before there are players, and tells neither too early', () => {
    expect(announced).toMatchObject({
      seedHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      seed: null,
      entriesHash: null,
      entries: [],
      nextCursor: null,
    });
  });

  it('is replayed by the program of the documentation', async () => {
    const { data } = await player.get('weeks/2023-W40/draw?limit=1');
    expect(data).toMatchObject({
      seedHash: announced.seedHash,
      entriesCount: PLAYERS,
      fill: 'even',
      maxSize: 100,
    });
    expect(await replay(system.url)).toEqual({
      agrees: { seed: true, entries: true, positions: true, pools: true },
      status: 0,
    });
  });

  it('does not hold when anything in it was changed', async () => {
    const { data } = await player.get('weeks/2023-W40/draw?limit=10000');
    const [first, second, ...rest] = data.entries;
    const exchanged = [
      { ...first, drawPosition: second.drawPosition },
      { ...second, drawPosition: first.drawPosition },
    ];
    const changes: [string, object][] = [
      ['seed', { ...data, seed: 'ab'.repeat(32) }],
      ['entries', { ...data, entries: data.entries.slice(1) }],
      ['positions', { ...data, entries: [...exchanged, ...rest] }],
      ['pools', { ...data, entries: [{ ...first, pool: 'W2023-40-ZZ' }, second, ...rest] }],
    ];
    for (const [part, changed] of changes) {
      const server = createServer((_, response) => void response.end(JSON.stringify({ data: changed })));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { agrees, status } = await replay(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      server.close();
      expect([part, agrees[part], status]).toEqual([part, false, 1]);
    }
  });
});
