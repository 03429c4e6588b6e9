import { Injectable } from '@nestjs/common';
import { columnContext, KeyRing } from './key-ring.js';
import { type EncryptedColumn, KeyRotationRepository } from './key-rotation.repository.js';

/** Rows of a statement; a value may have some 256 KiB. */
const BATCH = 100;
const PASSES = 5;

export interface RotatedColumn {
  readonly name: string;
  /** Values encrypted again under the first key. */
  renewed: number;
  /** Values that no key of the ring opens: they stay as they are. */
  failed: number;
}

/**
 * Encrypts everything again under the first key of ENCRYPTION_KEYS, so that the others can be taken away. Works beside
 * the running system and resumes by itself: a value tells by its first bytes whether it has been done.
 */
@Injectable()
export class KeyRotationService {
  constructor(
    private readonly repository: KeyRotationRepository,
    private readonly keyRing: KeyRing,
  ) {}

  /** `onProgress` is told after each batch; what it throws ends the run, which can be begun again. */
  async run(onProgress: (column: RotatedColumn) => void = () => undefined): Promise<RotatedColumn[]> {
    const done: RotatedColumn[] = [];
    for (const column of await this.repository.columns()) {
      const result = { name: `${column.table}.${column.column}`, renewed: 0, failed: 0 };
      // A row that changed under a batch is met by the next pass.
      for (let pass = 1, missed = 1; missed > 0 && pass <= PASSES; pass += 1) {
        result.failed = 0;
        missed = await this.pass(column, result, onProgress);
      }
      done.push(result);
    }
    return done;
  }

  /** All rows once; how many changed meanwhile. */
  private async pass(
    column: EncryptedColumn,
    result: RotatedColumn,
    onProgress: (column: RotatedColumn) => void,
  ): Promise<number> {
    let after: string[] | null = null;
    let missed = 0;
    for (;;) {
      const rows = await this.repository.nextNotUnder(this.keyRing.currentHeader, column, after, BATCH);
      if (rows.length === 0) return missed;
      after = rows.at(-1)?.key ?? null;
      const changes = rows.flatMap((row) => {
        const renewed = this.renew(column, row);
        return renewed === null ? [] : [{ ...row, renewed }];
      });
      const put = changes.length === 0 ? 0 : await this.repository.replace(column, changes);
      missed += changes.length - put;
      result.renewed += put;
      result.failed += rows.length - changes.length;
      onProgress(result);
    }
  }

  private renew({ table, column }: EncryptedColumn, row: { key: string[]; value: Buffer }): Buffer | null {
    const context = columnContext(table, column, ...row.key);
    try {
      return this.keyRing.encrypt(this.keyRing.decrypt(row.value, context), context);
    } catch {
      return null;
    }
  }
}
