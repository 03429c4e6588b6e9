import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Role } from '../../../platform/security/subject.js';
import type { FollowablePersonDto } from '../dto/person.dto.js';

interface ProfileRow {
  id: string;
  handle: string;
  displayName: string;
  bio: string | null;
  avatarUrl: string | null;
  country: string | null;
  favouriteSports: string[];
  followersCount: number;
  followingCount: number;
  createdAt: Date;
}

export interface OwnProfileRow extends ProfileRow {
  email: string | null;
  emailVerified: boolean;
  role: Role;
  handleChangedAt: Date | null;
  closingAt: Date | null;
}

export interface PublicProfileRow extends ProfileRow {
  following: boolean;
  followedBy: boolean;
  muted: boolean;
  contactId: string | null;
  contactStatus: 'pending' | 'accepted' | 'declined' | null;
  contactRequesterId: string | null;
}

/** What a user can change of themselves. */
export interface EditableProfile {
  handle: string;
  displayName: string;
  bio: string | null;
  avatarUrl: string | null;
  country: string | null;
  favouriteSports: string[];
  handleChangedAt: Date | null;
}

const EDITABLE = `u.handle, u.display_name AS "displayName", p.bio, p.avatar_url AS "avatarUrl", p.country,
  p.favourite_sports AS "favouriteSports"`;
const PROFILE = `u.id, ${EDITABLE}, c.followers AS "followersCount", c.following AS "followingCount",
  u.created_at AS "createdAt"`;
const FROM = `users u JOIN profiles p ON p.user_id = u.id JOIN social_counts c ON c.user_id = u.id`;

@Injectable()
export class ProfilesRepository {
  constructor(private readonly database: Database) {}

  /** Index: primary keys. */
  async findOwn(userId: string): Promise<OwnProfileRow | null> {
    const [row] = await this.database.query<OwnProfileRow>(
      'users.own_profile',
      `SELECT ${PROFILE}, u.email, u.email_verified_at IS NOT NULL AS "emailVerified", u.role,
              p.handle_changed_at AS "handleChangedAt", u.closing_at AS "closingAt"
       FROM ${FROM} WHERE u.id = $1 AND u.status <> 'erased'`,
      [userId],
    );
    return row ?? null;
  }

  /** Null for who may not be seen by the viewer, or is no more. Index: ux_users_handle. */
  async findPublic(viewerId: string, handle: string): Promise<PublicProfileRow | null> {
    const [row] = await this.database.query<PublicProfileRow>(
      'users.public_profile',
      `SELECT ${PROFILE},
              EXISTS (SELECT FROM follows WHERE follower_id = $1 AND followee_id = u.id) AS following,
              EXISTS (SELECT FROM follows WHERE follower_id = u.id AND followee_id = $1) AS "followedBy",
              EXISTS (SELECT FROM mutes WHERE muter_id = $1 AND muted_id = u.id) AS muted,
              k.id AS "contactId", k.status AS "contactStatus", k.requester_id AS "contactRequesterId"
       FROM ${FROM}
       LEFT JOIN contacts k ON k.low_id = least($1::uuid, u.id) AND k.high_id = greatest($1::uuid, u.id)
       WHERE lower(u.handle) = lower($2) AND u.status = 'active' AND u.closing_at IS NULL
         AND NOT users_blocked($1, u.id)`,
      [viewerId, handle],
    );
    return row ?? null;
  }

  /** The page of at most `cap` users found, and how many of them there are. See `users_search` in the migration. */
  async search(
    viewerId: string,
    text: string,
    page: { cap: number; offset: number; limit: number },
  ): Promise<{ people: FollowablePersonDto[]; total: number }> {
    const [row] = await this.database.query<{ people: FollowablePersonDto[]; total: number }>(
      'users.search',
      `WITH found AS MATERIALIZED (SELECT user_id, place FROM users_search($1, $2, $3)),
       shown AS (SELECT user_id, place FROM found ORDER BY place OFFSET $4 LIMIT $5)
       SELECT (SELECT count(*)::int FROM found) AS total,
         coalesce((SELECT json_agg(json_build_object(
           'id', u.id, 'handle', u.handle, 'displayName', u.display_name, 'avatarUrl', p.avatar_url,
           'following', EXISTS (SELECT FROM follows f WHERE f.follower_id = $1 AND f.followee_id = u.id))
           ORDER BY s.place)
         FROM shown s JOIN users u ON u.id = s.user_id JOIN profiles p ON p.user_id = u.id), '[]') AS people`,
      [viewerId, text, page.cap, page.offset, page.limit],
    );
    return row ?? { people: [], total: 0 };
  }

  /** Locks it, so that changes of one profile come one after the other, and then reads what the last of them left. */
  async lock(manager: EntityManager, userId: string): Promise<EditableProfile | null> {
    await manager.query('SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
    const [row] = await manager.query<EditableProfile[]>(
      `SELECT ${EDITABLE}, p.handle_changed_at AS "handleChangedAt"
       FROM users u JOIN profiles p ON p.user_id = u.id WHERE u.id = $1 AND u.status <> 'erased'`,
      [userId],
    );
    return row ?? null;
  }

  async save(manager: EntityManager, userId: string, profile: EditableProfile): Promise<void> {
    await manager.query(
      `UPDATE profiles SET bio = $2, avatar_url = $3, country = $4, favourite_sports = $5, handle_changed_at = $6
       WHERE user_id = $1`,
      [
        userId,
        profile.bio,
        profile.avatarUrl,
        profile.country,
        profile.favouriteSports,
        profile.handleChangedAt,
      ],
    );
  }

  /** Another's handle or reservation refuses it as ux_users_handle. */
  async rename(manager: EntityManager, userId: string, handle: string, displayName: string): Promise<void> {
    await manager.query('UPDATE users SET handle = $2, display_name = $3 WHERE id = $1', [
      userId,
      handle,
      displayName,
    ]);
  }

  /** A reservation of another's that has run out is replaced. */
  async reserve(manager: EntityManager, handle: string, userId: string, until: Date): Promise<void> {
    await manager.query(
      `INSERT INTO handle_reservations (handle, user_id, until) VALUES (lower($1), $2, $3)
       ON CONFLICT (handle) DO UPDATE SET user_id = EXCLUDED.user_id, until = EXCLUDED.until`,
      [handle, userId, until],
    );
  }

  /** Index: ix_handle_reservations_until. */
  async forgetReservations(now: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'users.forget_reservations',
      `DELETE FROM handle_reservations WHERE handle IN (
         SELECT handle FROM handle_reservations WHERE until <= $1 LIMIT $2) RETURNING handle`,
      [now, limit],
    );
    return rows.length;
  }
}
