import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { columnContext, KeyRing } from '../../../platform/security/key-ring.js';
import { type Attempt, ExportsRepository } from './exports.repository.js';

const CHUNK_BYTES = 256 * 1024;

/** How far the writing has come. */
export interface Progress {
  readonly sectionsDone: number;
  readonly sectionsTotal: number;
}

/** Another attempt has taken over, or the user is gone: nobody waits for this one any more. */
export class AttemptSuperseded extends Error {}

/** The bytes of exports in Postgres, encrypted, 256 KiB a row: at most one such piece is in memory at a time. */
@Injectable()
export class ExportChunks {
  constructor(
    private readonly repository: ExportsRepository,
    private readonly keyRing: KeyRing,
    private readonly clock: Clock,
  ) {}

  /** Stores what the source yields; how many bytes. Throws AttemptSuperseded. */
  async write(attempt: Attempt, source: AsyncIterable<Buffer>, progress: () => Progress): Promise<number> {
    let held: Buffer[] = [];
    let heldBytes = 0;
    let bytes = 0;
    let number = 0;
    const store = async (): Promise<void> => {
      const plain = Buffer.concat(held);
      held = [];
      heldBytes = 0;
      bytes += plain.length;
      await this.store(attempt, number, plain, bytes, progress());
      number += 1;
    };
    for await (const piece of source) {
      for (let rest = piece; rest.length > 0;) {
        const part = rest.subarray(0, CHUNK_BYTES - heldBytes);
        held.push(part);
        heldBytes += part.length;
        rest = rest.subarray(part.length);
        if (heldBytes === CHUNK_BYTES) await store();
      }
    }
    if (heldBytes > 0) await store();
    return bytes;
  }

  /** The bytes in their order. Throws when a piece is missing: the export has expired meanwhile. */
  async *read(attempt: Attempt, bytes: number): AsyncGenerator<Buffer> {
    for (let number = 0, read = 0; read < bytes; number += 1) {
      const encrypted = await this.repository.readChunk(attempt, number);
      if (!encrypted) throw new Error('an export ended before its last piece');
      const plain = this.keyRing.decrypt(encrypted, contextOf(attempt, number));
      read += plain.length;
      yield plain;
    }
  }

  private async store(
    attempt: Attempt,
    number: number,
    plain: Buffer,
    bytes: number,
    { sectionsDone, sectionsTotal }: Progress,
  ): Promise<void> {
    const data = this.keyRing.encrypt(plain, contextOf(attempt, number));
    const now = this.clock.now();
    const stored = await this.repository.addChunk(attempt, {
      number,
      data,
      bytes,
      done: sectionsDone,
      total: sectionsTotal,
      now,
    });
    if (!stored) throw new AttemptSuperseded('another attempt writes this export');
  }
}

function contextOf({ exportId, attempt }: Attempt, number: number): string {
  return columnContext('data_export_chunks', 'data', exportId, String(attempt), String(number));
}
