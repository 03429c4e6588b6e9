import { randomUUID } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import { v7 } from 'uuid';
import { versionOf } from '../../src/modules/compliance/jurisdiction-versions.service.js';
import type { AppConfig } from '../../src/platform/config/app-config.js';
import { loadRules } from '../../src/platform/config/load-config.js';
import { AuditChainRepository } from '../../src/platform/audit-log/audit-chain.repository.js';
import { AuditSealer } from '../../src/platform/audit-log/audit-sealer.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { eventually, type System } from './system.js';

/** A sealer of its own, as a worker has one; nothing calls it but the test. */
export function sealerOf(system: System): AuditSealer {
  return new AuditSealer(system.app.get(AuditChainRepository, { strict: false }), system.app.get(UnitOfWork));
}

/** As if the rules of places had been read before: their first reading is an entry of the log. */
export async function withoutEntries(db: Pool, { CONFIG_DIR }: AppConfig): Promise<void> {
  const { version, content, hash } = versionOf(loadRules(CONFIG_DIR));
  await db.query('INSERT INTO jurisdiction_versions (version, content_hash, content) VALUES ($1, $2, $3)', [
    version,
    hash,
    JSON.stringify(content),
  ]);
}

/** Writes that many entries in one transaction; their ids. */
export async function audited(
  db: Pool | ClientBase,
  entries = 1,
  subject: string = randomUUID(),
): Promise<string[]> {
  const ids = Array.from({ length: entries }, () => v7());
  await db.query(
    `INSERT INTO audit_log (id, at, action, subject_type, subject_id, details, request_id)
     SELECT id, parley_now(), 'test.done', 'test', $2, jsonb_build_object('n', n), $2
     FROM unnest($1::uuid[]) WITH ORDINALITY AS entry (id, n)`,
    [ids, subject],
  );
  return ids;
}

/** The ids of the entries under each seal, by the seals' own ends. */
export async function sealedIds(system: System): Promise<string[][]> {
  const { rows } = await system.db.query<{ ids: string[] }>(
    `SELECT ARRAY(SELECT a.id FROM audit_log a
                  WHERE (a.tx, a.id) >= (s.first_tx, s.first_id) AND (a.tx, a.id) <= (s.last_tx, s.last_id)
                  ORDER BY a.tx, a.id) AS ids
     FROM audit_seals s ORDER BY number`,
  );
  return rows.map(({ ids }) => ids);
}

/**
 * Waits until what is in the log may be sealed: transactions that other tests have under way, in other databases of the
 * server, hold it up as well.
 */
export async function settled(system: System): Promise<void> {
  await eventually(async () => {
    const { rows } = await system.db.query<{ all: boolean | null }>(
      `SELECT max(tx) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + audit_offset() AS all FROM audit_log`,
    );
    return rows[0]?.all !== false;
  }, 60_000);
}

/** Seals all that is in the log, as one seal if it is no more than one may have; a worker may be at it too. */
export async function sealAll(system: System): Promise<void> {
  await settled(system);
  const { rows } = await system.db.query<{ tx: string; id: string }>(
    'SELECT tx::text, id FROM audit_log ORDER BY audit_log.tx DESC, id DESC LIMIT 1',
  );
  const [last] = rows;
  if (!last) return;
  const sealer = sealerOf(system);
  await eventually(async () => {
    while (await sealer.seal());
    const { rowCount } = await system.db.query(
      'SELECT 1 FROM audit_seals WHERE (last_tx, last_id) >= ($1::bigint, $2::uuid) LIMIT 1',
      [last.tx, last.id],
    );
    return rowCount === 1;
  }, 60_000);
}
