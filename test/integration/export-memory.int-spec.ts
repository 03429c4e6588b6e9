import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ExportWriterService } from '../../src/modules/users/privacy/export-writer.service.js';
import { ExportsRepository } from '../../src/modules/users/privacy/exports.repository.js';
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

  beforeAll(async () => {
    system = await startSystem({ worker: false });
  });
  afterAll(async () => system.stop());

  it('reads little further than what it has stored, however much there is and however slow the store', async () => {
    const [player] = (await new Builders(system).players(1)) as [Client];
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
  });
});
