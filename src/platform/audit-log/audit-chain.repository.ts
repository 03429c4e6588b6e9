import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';
import type { ChainEntry, ChainHead, EntryKey, Seal } from './chain.js';

/** The end of the chain, and what it is sealed up to. */
export interface ChainEnd extends ChainHead {
  readonly last: EntryKey;
}

interface SealRow {
  number: string;
  first_tx: string;
  first_id: string;
  last_tx: string;
  last_id: string;
  entries: number;
  digests: Buffer;
  entries_hash: Buffer;
  previous: Buffer | null;
  hash: Buffer;
  sealed_micros: string;
}

export interface LastVerification {
  readonly problems: number;
  readonly seconds: number;
  readonly number: string | null;
  readonly hash: string | null;
}

const micros = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;

const ENTRY = `id, tx::text, ${micros('at')} AS micros, actor_id AS actor, action, subject_type AS "subjectType",
  subject_id AS "subjectId", details::text, request_id AS "requestId"`;

const END = `SELECT number::int8 AS number, encode(hash, 'hex') AS hash, last_tx::text AS tx, last_id AS id
  FROM audit_seals ORDER BY number DESC LIMIT 1`;
type EndRow = { number: string; hash: string; tx: string; id: string };

/** The audit log as a chain of seals. */
@Injectable()
export class AuditChainRepository {
  constructor(private readonly database: Database) {}

  /** The only one who may seal, until the transaction ends; false when that is another. Waits for nobody. */
  async lockSealing(manager: EntityManager): Promise<boolean> {
    const [row] = await manager.query<{ mine: boolean }[]>(
      'SELECT pg_try_advisory_xact_lock(4242, 32) AS mine',
    );
    return row?.mine === true;
  }

  /** The end of the chain as a transaction sees it. Index: primary key. */
  async endIn(manager: EntityManager): Promise<ChainEnd | null> {
    return toEnd(await manager.query<EndRow[]>(END));
  }

  async end(): Promise<ChainEnd | null> {
    return toEnd(await this.database.query<EndRow>('audit.end', END));
  }

  /**
   * The next entries to be sealed, in their order: of transactions below which none is under way, so that none can come in
   * before them any more. Locks nothing. Index: ux_audit_log_tx.
   */
  async settledAfter(manager: EntityManager, after: EntryKey, limit: number): Promise<ChainEntry[]> {
    return await manager.query<ChainEntry[]>(
      `SELECT ${ENTRY} FROM audit_log
       WHERE (tx, id) > ($1::bigint, $2::uuid)
         AND tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + audit_offset()
       ORDER BY audit_log.tx, id LIMIT $3`,
      [after.tx, after.id, limit],
    );
  }

  /** Microseconds of the time that entries are written by. */
  async nowMicros(manager: EntityManager): Promise<string> {
    const [row] = await manager.query<{ now: string }[]>(`SELECT ${micros('parley_now()')} AS now`);
    if (!row) throw new Error('Postgres does not tell the time');
    return row.now;
  }

  async insert(manager: EntityManager, seal: Seal): Promise<void> {
    await manager.query(
      `INSERT INTO audit_seals (number, first_tx, first_id, last_tx, last_id, entries, digests, entries_hash, previous, hash,
                                sealed_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, timestamptz 'epoch' + $11::bigint * interval '1 microsecond')`,
      [
        seal.number,
        seal.first.tx,
        seal.first.id,
        seal.last.tx,
        seal.last.id,
        seal.entries,
        seal.digests,
        seal.entriesHash,
        seal.previous,
        seal.hash,
        seal.sealedMicros,
      ],
    );
  }

  /** Seals behind that number, up to another. Index: primary key. */
  async seals(after: number, upTo: number, limit: number): Promise<Seal[]> {
    const rows = await this.database.query<SealRow>(
      'audit.seals',
      `SELECT number, first_tx, first_id, last_tx, last_id, entries, digests, entries_hash, previous, hash,
         ${micros('sealed_at')} AS sealed_micros
       FROM audit_seals WHERE number > $1 AND number <= $2 ORDER BY number LIMIT $3`,
      [after, upTo, limit],
    );
    return rows.map(toSeal);
  }

  /** Entries between two keys, the first left out. Index: ux_audit_log_tx. */
  async entries(after: EntryKey, upTo: EntryKey, limit: number): Promise<ChainEntry[]> {
    return await this.database.query<ChainEntry>(
      'audit.entries',
      `SELECT ${ENTRY} FROM audit_log
       WHERE (tx, id) > ($1::bigint, $2::uuid) AND (tx, id) <= ($3::bigint, $4::uuid)
       ORDER BY audit_log.tx, id LIMIT $5`,
      [after.tx, after.id, upTo.tx, upTo.id, limit],
    );
  }

  async hashOf(number: number): Promise<string | null> {
    const [row] = await this.database.query<{ hash: string }>(
      'audit.hash_of',
      "SELECT encode(hash, 'hex') AS hash FROM audit_seals WHERE number = $1",
      [number],
    );
    return row?.hash ?? null;
  }

  /** Heads that the log itself tells of, of earlier verifications, and that are not in the chain. Index: ix_audit_log_action. */
  async lostHeads(action: string, limit: number): Promise<{ id: string; number: string }[]> {
    return await this.database.query(
      'audit.lost_heads',
      `SELECT told.id, told.number FROM (
         SELECT id, at, details #>> '{head,number}' AS number, details #>> '{head,hash}' AS hash
         FROM audit_log WHERE action = $1 AND details #>> '{head,number}' IS NOT NULL) told
       LEFT JOIN audit_seals s
         ON s.number = CASE WHEN told.number ~ '^[0-9]{1,18}$' THEN told.number::bigint END
       WHERE encode(s.hash, 'hex') IS DISTINCT FROM told.hash ORDER BY told.at LIMIT $2`,
      [action, limit],
    );
  }

  /** Entries of transactions that cannot have been, or not yet: they stand outside of what is sealed. Index: ux_audit_log_tx. */
  async ofNoTransaction(limit: number): Promise<{ id: string }[]> {
    return await this.database.query(
      'audit.of_no_transaction',
      `(SELECT id FROM audit_log WHERE tx < 0 ORDER BY tx LIMIT $1)
       UNION ALL
       (SELECT id FROM audit_log WHERE tx >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + audit_offset()
        ORDER BY tx LIMIT $1)`,
      [limit],
    );
  }

  /** Tables whose trigger against changes is not there, or not always on. */
  async unguarded(): Promise<string[]> {
    const rows = await this.database.query<{ name: string }>(
      'audit.unguarded',
      `SELECT name FROM unnest(ARRAY['audit_log', 'audit_seals']) AS name
       WHERE NOT EXISTS (
         SELECT 1 FROM pg_trigger t
         WHERE t.tgrelid = to_regclass(name) AND t.tgname = name || '_append_only' AND t.tgenabled = 'A'
           AND t.tgfoid = 'refuse_change'::regproc AND t.tgtype = 58)`, // before, each statement: update, delete, truncate
    );
    return rows.map(({ name }) => name);
  }

  /** How many entries are sealed up to a seal, as the seals say. */
  async size(upTo: number): Promise<number> {
    const [row] = await this.database.query<{ entries: string | null }>(
      'audit.size',
      'SELECT sum(entries) AS entries FROM audit_seals WHERE number <= $1',
      [upTo],
    );
    return Number(row?.entries ?? 0);
  }

  /** The age in seconds of the first entry that is not sealed; 0 when all are. Index: ux_audit_log_tx. */
  async unsealedSeconds(after: EntryKey): Promise<number> {
    const [row] = await this.database.query<{ seconds: number }>(
      'audit.unsealed',
      `SELECT extract(epoch FROM parley_now() - at)::float8 AS seconds FROM audit_log
       WHERE (tx, id) > ($1::bigint, $2::uuid) ORDER BY tx, id LIMIT 1`,
      [after.tx, after.id],
    );
    return row?.seconds ?? 0;
  }

  /** What the log says of the last verification. Index: ix_audit_log_action. */
  async lastVerification(action: string): Promise<LastVerification | null> {
    const [row] = await this.database.query<LastVerification>(
      'audit.last_verification',
      `SELECT (details->>'problems')::int AS problems, extract(epoch FROM at)::float8 AS seconds,
         details #>> '{head,number}' AS number, details #>> '{head,hash}' AS hash
       FROM audit_log WHERE action = $1 ORDER BY at DESC, id DESC LIMIT 1`,
      [action],
    );
    return row ?? null;
  }
}

function toEnd([row]: EndRow[]): ChainEnd | null {
  if (!row) return null;
  return { number: Number(row.number), hash: row.hash, last: { tx: row.tx, id: row.id } };
}

function toSeal(row: SealRow): Seal {
  return {
    number: Number(row.number),
    first: { tx: row.first_tx, id: row.first_id },
    last: { tx: row.last_tx, id: row.last_id },
    entries: row.entries,
    digests: row.digests,
    entriesHash: row.entries_hash,
    previous: row.previous,
    hash: row.hash,
    sealedMicros: row.sealed_micros,
  };
}
