import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Marker } from '../domain/harm-markers.js';
import type { FlagDecision } from './markers.types.js';

export interface NewFlag {
  readonly id: string;
  readonly userId: string;
  readonly day: string;
  readonly score: number;
  readonly markers: readonly Marker[];
}

export interface FlagRow {
  id: string;
  user_id: string;
  handle: string;
  first_day: string;
  day: string;
  score: number;
  markers: Marker[];
  created_at: Date;
  decided_at: Date | null;
  decided_by: string | null;
  decision: FlagDecision | null;
  decision_note: string | null;
}

export interface FlagFilter {
  readonly decided: boolean;
  readonly userId: string | null;
  readonly marker: string | null;
  readonly leastScore: number | null;
}

/** What is left of a flag without what its user may not be told: that others on the device are excluded. Of one that is called `f`. */
export const OWN_MARKERS = `jsonb_path_query_array(f.markers, '$[*] ? (@.marker != "excludedDevice")')`;
const DEVICE_MARKERS = `jsonb_path_query_array(f.markers, '$[*] ? (@.marker == "excludedDevice")')`;
const DEVICE_SCORE = `coalesce((SELECT sum((m->>'weight')::int) FROM jsonb_array_elements(f.markers) m
  WHERE m->>'marker' = 'excludedDevice'), 0)::int`;
/** Zero: it shows nothing else. */
export const OWN_SCORE = `(f.score - ${DEVICE_SCORE})`;

const FLAG = `SELECT f.id, f.user_id, u.handle, f.first_day::text AS first_day, f.day::text AS day, f.score, f.markers,
    f.created_at, f.decided_at, f.decided_by, f.decision, f.decision_note
  FROM harm_flags f JOIN users u ON u.id = f.user_id`;

/** People who are shown to the compliance team. */
@Injectable()
export class HarmFlagsRepository {
  constructor(private readonly database: Database) {}

  /** What was last decided of each, and the score of their play then: a device counts for nothing. Index: ix_harm_flags_user. */
  async lastDecided(
    manager: EntityManager,
    userIds: readonly string[],
  ): Promise<Map<string, { score: number; decidedAt: Date }>> {
    const rows = await manager.query<{ user_id: string; score: number; decidedAt: Date }[]>(
      `SELECT DISTINCT ON (f.user_id) f.user_id, ${OWN_SCORE} AS score, f.decided_at AS "decidedAt" FROM harm_flags f
       WHERE f.user_id = ANY ($1::uuid[]) AND f.decided_at IS NOT NULL ORDER BY f.user_id, f.decided_at DESC, f.id DESC`,
      [userIds],
    );
    return new Map(rows.map(({ user_id: userId, ...last }) => [userId, last]));
  }

  /** One that is open takes the numbers of the day if it is no earlier one, and keeps what it tells of the device: no night finds that. */
  async raise(manager: EntityManager, flags: readonly NewFlag[], now: Date): Promise<void> {
    await manager.query(
      `INSERT INTO harm_flags AS f (id, user_id, first_day, day, score, markers, created_at)
       SELECT id, "userId", day, day, score, markers, $2
       FROM jsonb_to_recordset($1::jsonb) AS n (id uuid, "userId" uuid, day date, score int, markers jsonb)
       ORDER BY "userId"
       ON CONFLICT (user_id) WHERE decided_at IS NULL
       DO UPDATE SET day = excluded.day, score = excluded.score + ${DEVICE_SCORE}, markers = excluded.markers || ${DEVICE_MARKERS}
       WHERE f.day <= excluded.day`,
      [JSON.stringify(flags), now],
    );
  }

  /** The oldest first. Indexes: ix_harm_flags_queue, ix_harm_flags_user, primary key. */
  async list(
    { decided, userId, marker, leastScore }: FlagFilter,
    after: string | null,
    limit: number,
  ): Promise<FlagRow[]> {
    return await this.database.query<FlagRow>(
      `harm_flags.list.${decided ? 'decided' : 'open'}`,
      `${FLAG} WHERE f.decided_at IS ${decided ? 'NOT NULL' : 'NULL'} AND ($1::uuid IS NULL OR f.user_id = $1)
         AND ($2::text IS NULL OR f.markers @> jsonb_build_array(jsonb_build_object('marker', $2::text)))
         AND ($3::int IS NULL OR f.score >= $3) AND ($4::uuid IS NULL OR f.id > $4)
       ORDER BY f.id LIMIT $5`,
      [userId, marker, leastScore, after, limit],
    );
  }

  async find(id: string): Promise<FlagRow | null> {
    const [row] = await this.database.query<FlagRow>('harm_flags.one', `${FLAG} WHERE f.id = $1`, [id]);
    return row ?? null;
  }

  /** Leaves the open state; whose it is, or null when it was not open. */
  async decide(
    manager: EntityManager,
    id: string,
    { decision, note, by, now }: { decision: FlagDecision; note: string; by: string; now: Date },
  ): Promise<{ userId: string; score: number } | null> {
    const [[row]] = await manager.query<[{ userId: string; score: number }[], number]>(
      `UPDATE harm_flags SET decided_at = $2, decided_by = $3, decision = $4, decision_note = $5
       WHERE id = $1 AND decided_at IS NULL RETURNING user_id AS "userId", score`,
      [id, now, by, decision, note],
    );
    return row ?? null;
  }

  /** How many wait, and since when. Index: ix_harm_flags_queue. */
  async waiting(): Promise<{ count: number; since: Date | null }> {
    const [row] = await this.database.query<{ count: number; since: Date | null }>(
      'harm_flags.waiting',
      'SELECT count(*)::int AS count, min(created_at) AS since FROM harm_flags WHERE decided_at IS NULL',
    );
    return row ?? { count: 0, since: null };
  }
}
