import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ExportWriterService } from '../../src/modules/users/privacy/export-writer.service.js';
import { ExportsRepository } from '../../src/modules/users/privacy/exports.repository.js';
import { ExportsService } from '../../src/modules/users/privacy/exports.service.js';
import { Database } from '../../src/platform/database/database.js';
import type { Snapshot } from '../../src/platform/database/snapshot.js';
import { PersonalDataService } from '../../src/platform/privacy/personal-data.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';

const CHUNK = 256 * 1024;
/** Bytes of randomness in a row: what the zip cannot make smaller. */
const ROW = 500;
const ROWS = 20_000;

describe('writing an export', () => {
  let system: System;
  let make: Builders;

  beforeAll(async () => {
    system = await startSystem({ worker: false });
    make = new Builders(system);
  });
  afterAll(async () => system.stop());

  it('reads little further than what it has stored, however much there is and however slow the store', async () => {
    const [player] = (await make.players(1)) as [Client];
    let read = 0;
    async function* rows(): AsyncGenerator<{ text: string }> {
      for (; read < ROWS; read += 1) yield { text: randomBytes(ROW).toString('hex') };
    }
    const personalData = system.app.get(PersonalDataService);
    const sections = personalData.sections.bind(personalData);
    personalData.sections = (snapshot: Snapshot, userId: string) => [
      ...sections(snapshot, userId),
      { file: 'zz-much', rows: rows() },
    ];
    const repository = system.app.get(ExportsRepository);
    const addChunk = repository.addChunk.bind(repository);
    const ahead: number[] = [];
    repository.addChunk = async (attempt, chunk) => {
      await sleep(30); // whatever would run ahead does
      ahead.push(read * ROW - chunk.bytes);
      return await addChunk(attempt, chunk);
    };

    const { data } = await player.post('users/me/export');
    await system.app.get(ExportWriterService).write(data.id);
    const { data: done } = await player.get('users/me/export');
    expect([done.status, read, done.progress.bytes > ROWS * ROW]).toEqual(['ready', ROWS, true]);
    expect(ahead.length).toBeGreaterThan(35);
    expect(Math.max(...ahead)).toBeLessThan(2 * CHUNK);
    repository.addChunk = addChunk;
    personalData.sections = sections;
  });

  it('twice at once ends in one export, of one attempt', async () => {
    const [player] = (await make.players(1)) as [Client];
    const { data } = await player.post('users/me/export');
    const writer = system.app.get(ExportWriterService);
    await Promise.all(Array.from({ length: 5 }, () => writer.write(data.id)));
    await writer.write(data.id); // delivered again later
    const { rows } = await system.db.query(
      `SELECT e.status, e.attempt, count(*)::int AS pieces, min(c.attempt) = e.attempt AS own
       FROM data_exports e JOIN data_export_chunks c ON c.export_id = e.id WHERE e.id = $1 GROUP BY e.id`,
      [data.id],
    );
    expect(rows).toEqual([{ status: 'ready', attempt: expect.any(Number), pieces: 1, own: true }]);
    expect(system.app.get(Database).pool.waitingCount).toBe(0);
  });

  it('that nobody has touched for an hour is asked for again, once', async () => {
    const [player] = (await make.players(1)) as [Client];
    const { data } = await player.post('users/me/export');
    const asked = async () =>
      (
        await system.db.query(
          "SELECT FROM outbox WHERE topic = 'users.export-requested' AND payload->>'exportId' = $1",
          [data.id],
        )
      ).rowCount;
    await player.get('users/me/export');
    expect(await asked()).toBe(1);
    await system.db.query("UPDATE data_exports SET touched_at = touched_at - interval '61 minutes'");
    await Promise.all(Array.from({ length: 10 }, () => player.post('users/me/export')));
    expect(await asked()).toBe(2);
  });

  it('is forgotten with all its pieces once it has expired', async () => {
    const [player] = (await make.players(1)) as [Client];
    const { data } = await player.post('users/me/export');
    await system.app.get(ExportWriterService).write(data.id);
    await player.get('users/me/export');
    const service = system.app.get(ExportsService);
    const left = async () => {
      for (const forget of service.forgets) await forget(100);
      const { rows } = await system.db.query(
        `SELECT (SELECT count(*)::int FROM data_exports WHERE id = $1) AS exports,
                (SELECT count(*)::int FROM data_export_chunks WHERE export_id = $1) AS pieces,
                (SELECT count(*)::int FROM data_export_links WHERE export_id = $1) AS links`,
        [data.id],
      );
      return rows[0];
    };
    expect(await left()).toEqual({ exports: 1, pieces: 1, links: 1 });
    await system.db.query("UPDATE data_exports SET expires_at = expires_at - interval '25 hours'");
    expect(await left()).toEqual({ exports: 0, pieces: 0, links: 0 });
  });
});
