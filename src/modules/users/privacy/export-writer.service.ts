import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { ZipFile } from 'yazl';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { Database } from '../../../platform/database/database.js';
import type { JsonRow } from '../../../platform/database/snapshot.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import type { PersonalSection } from '../../../platform/privacy/personal-data.decorator.js';
import { PersonalDataService } from '../../../platform/privacy/personal-data.service.js';
import { AttemptSuperseded, ExportChunks } from './export-chunks.service.js';
import { type Attempt, ExportsRepository } from './exports.repository.js';
import { privacyEvents } from './privacy.events.js';

const HOUR_MS = 3_600_000;
/** Characters of JSON that are handed to the zip at a time. */
const PIECE_LENGTH = 32 * 1024;

/** Writes exports: every module's rows of one moment, as JSON, into a zip, into Postgres, none of it whole in memory. */
@Injectable()
export class ExportWriterService {
  constructor(
    private readonly repository: ExportsRepository,
    private readonly chunks: ExportChunks,
    private readonly personalData: PersonalDataService,
    private readonly database: Database,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** From the beginning, however far a worker that was killed had come: its pieces are dropped. */
  async write(exportId: string): Promise<void> {
    const begun = await this.repository.begin(exportId, this.clock.now());
    if (!begun) return;
    const attempt = { exportId, attempt: begun.attempt };
    try {
      await this.database.readSnapshot(async (snapshot) => {
        await this.writeSections(attempt, this.personalData.sections(snapshot, begun.userId));
      });
      await this.finish(attempt, begun.userId);
    } catch (error) {
      if (!(error instanceof AttemptSuperseded)) throw error;
    }
  }

  private async writeSections(attempt: Attempt, sections: readonly PersonalSection[]): Promise<void> {
    const zip = new ZipFile();
    const output = Readable.from(zip.outputStream as AsyncIterable<Buffer>);
    zip.once('error', (error: Error) => output.destroy(error));
    const now = this.clock.now();
    const contents: { file: string; rows: number }[] = [];
    const add = (file: string, text: () => AsyncGenerator<string>): void => {
      zip.addReadStreamLazy(`${file}.json`, { mtime: now }, (callback) => {
        const source = Readable.from(text());
        source.once('error', (error) => output.destroy(error));
        callback(null, source);
      });
    };
    for (const { file, rows } of sections)
      add(file, () => jsonOf(rows, (count) => contents.push({ file, rows: count })));
    // The last file, so that by then every row has been counted.
    add('export', async function* () {
      yield JSON.stringify({ exportedAt: now.toISOString(), contents }, null, 2);
    });
    zip.end();
    const sectionsTotal = sections.length;
    await this.chunks.write(attempt, output, () => ({ sectionsDone: contents.length, sectionsTotal }));
  }

  private async finish(attempt: Attempt, userId: string): Promise<void> {
    const now = this.clock.now();
    const expiresAt = new Date(now.getTime() + this.rules.privacy.exportKeptHours * HOUR_MS);
    await this.unitOfWork.run(async (manager) => {
      if (!(await this.repository.finish(manager, attempt, { now, expiresAt }))) return;
      await this.outbox.publish(manager, privacyEvents.exportReady, { exportId: attempt.exportId, userId });
    });
  }
}

/** A JSON array, one row a line, in pieces. */
async function* jsonOf(
  rows: AsyncIterable<JsonRow>,
  counted: (count: number) => void,
): AsyncGenerator<string> {
  let piece = '[';
  let count = 0;
  for await (const row of rows) {
    piece += `${count === 0 ? '\n' : ',\n'}${JSON.stringify(row)}`;
    count += 1;
    if (piece.length >= PIECE_LENGTH) {
      yield piece;
      piece = '';
    }
  }
  yield `${piece}\n]\n`;
  counted(count);
}
