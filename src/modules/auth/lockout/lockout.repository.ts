import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Waits } from '../domain/waits.js';

/** A counter, and what it allows. */
export interface Counter {
  key: Buffer;
  attempts: number;
  forgetSeconds: number;
}

export interface Entry {
  kind: string;
  userId: string | null;
  devices: readonly Buffer[];
  strangers: readonly Counter[];
  knownSince: Date;
  captchaAfter: number | null;
}

export type Verdict = 'go' | 'wait' | 'locked' | 'captcha';

/** Seconds after which an attempt that was begun and never finished (its process died) counts as wrong. */
const PENDING = '60 seconds';

@Injectable()
export class LockoutRepository {
  constructor(private readonly database: Database) {}

  /** Enters an attempt; tells which counters count it. See attempt_begin in the migration. */
  async begin(
    entry: Entry,
    waits: Waits,
  ): Promise<{ verdict: Verdict; wait_seconds: number; keys: Buffer[] }> {
    const [row] = await this.database.query<{ verdict: Verdict; wait_seconds: number; keys: Buffer[] }>(
      'attempts.begin',
      `SELECT verdict, wait_seconds, keys
       FROM attempt_begin($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, interval '${PENDING}')`,
      [
        entry.kind,
        entry.userId,
        entry.devices,
        entry.strangers.map(({ key }) => key),
        entry.strangers.map(({ attempts }) => attempts),
        entry.strangers.map(({ forgetSeconds }) => forgetSeconds),
        waits.first,
        waits.max,
        waits.doublings,
        entry.knownSince,
        entry.captchaAfter,
      ],
    );
    if (!row) throw new Error('attempt_begin told nothing');
    return row;
  }

  /** Finishes an attempt that was not wrong; those counters of `cleared` forget what was wrong before. */
  async finish(keys: readonly Buffer[], cleared: readonly Buffer[]): Promise<void> {
    await this.database.query(
      'attempts.finish',
      "SELECT set_config('synchronous_commit', 'off', true), attempt_finish($1, $2)",
      [keys, cleared],
    );
  }

  /** Finishes a wrong attempt; the counters as they are now. */
  async punish(
    manager: EntityManager,
    counters: readonly Counter[],
    waits: Waits,
  ): Promise<{ key: Buffer; failures: number; locked_seconds: number }[]> {
    return await manager.query(
      'SELECT key, failures, locked_seconds FROM attempt_wrong($1, $2, $3, $4, $5, $6)',
      [
        counters.map(({ key }) => key),
        counters.map(({ attempts }) => attempts),
        counters.map(({ forgetSeconds }) => forgetSeconds),
        waits.first,
        waits.max,
        waits.doublings,
      ],
    );
  }

  async forgive(manager: EntityManager, keys: readonly Buffer[]): Promise<void> {
    await manager.query(
      `UPDATE attempt_counters SET failures = 0, locked_until = '-infinity'
       WHERE key IN (SELECT key FROM attempt_counters WHERE key = ANY ($1::bytea[]) ORDER BY key FOR UPDATE)`,
      [keys],
    );
  }

  async rememberDevices(
    manager: EntityManager,
    userId: string,
    devices: readonly Buffer[],
    signedIn: boolean,
    now: Date,
  ): Promise<void> {
    await manager.query('SELECT known_devices_seen($1, $2, $3, $4)', [userId, devices, signedIn, now]);
  }

  /** Index: primary key. */
  async isKnown(device: Buffer, since: Date): Promise<boolean> {
    const rows = await this.database.query(
      'known_devices.find',
      'SELECT FROM known_devices WHERE device = $1 AND signed_in AND seen_at > $2',
      [device, since],
    );
    return rows.length > 0;
  }

  async forgetDevicesOf(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM known_devices WHERE user_id = $1', [userId]);
  }

  /** At most `limit` counters that remember nothing any more; how many. Index: ix_attempt_counters_cleanup. */
  async deleteCounters(limit: number, before: Date): Promise<number> {
    const rows = await this.database.query(
      'attempts.forget',
      `DELETE FROM attempt_counters WHERE key = ANY (ARRAY(
         SELECT key FROM attempt_counters WHERE day < $2::timestamptz::date LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING 1`,
      [limit, before],
    );
    return rows.length;
  }

  /** At most `limit` devices that were not seen since; how many. Index: ix_known_devices_cleanup. */
  async deleteDevices(limit: number, before: Date): Promise<number> {
    const rows = await this.database.query(
      'known_devices.forget',
      `DELETE FROM known_devices WHERE device = ANY (ARRAY(
         SELECT device FROM known_devices WHERE seen_at < $2 LIMIT $1)) RETURNING 1`,
      [limit, before],
    );
    return rows.length;
  }
}
