import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../platform/privacy/personal-data.decorator.js';

/** Profiles, and what stands between two people. Of the others the export tells the id that the user has seen. */
@HoldsPersonalData()
@Injectable()
export class PeoplePersonalData implements PersonalDataHolder {
  readonly tables = [
    'profiles',
    'handle_reservations',
    'social_counts',
    'follows',
    'blocks',
    'mutes',
    'contacts',
  ];
  readonly kept = [];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    const section = sectionsOf(snapshot, userId);
    return [
      section(
        'profile',
        `SELECT p.bio, p.avatar_url, p.country, p.favourite_sports, p.handle_changed_at, s.followers, s.following
         FROM profiles p JOIN social_counts s USING (user_id) WHERE p.user_id = $1`,
      ),
      section(
        'handle-reservations',
        'SELECT handle, until FROM handle_reservations WHERE user_id = $1 ORDER BY until',
      ),
      section(
        'following',
        'SELECT followee_id AS user_id, created_at FROM follows WHERE follower_id = $1 ORDER BY created_at, followee_id',
      ),
      section(
        'followers',
        'SELECT follower_id AS user_id, created_at FROM follows WHERE followee_id = $1 ORDER BY created_at, follower_id',
      ),
      // Who has blocked or muted the user is theirs to keep to themselves.
      section(
        'blocks',
        'SELECT blocked_id AS user_id, created_at FROM blocks WHERE blocker_id = $1 ORDER BY created_at, blocked_id',
      ),
      section(
        'mutes',
        'SELECT muted_id AS user_id, created_at FROM mutes WHERE muter_id = $1 ORDER BY created_at, muted_id',
      ),
      section(
        'contacts',
        `SELECT CASE WHEN low_id = $1 THEN high_id ELSE low_id END AS user_id, requester_id = $1 AS requested_by_you, status,
                requested_at, answered_at
         FROM contacts WHERE low_id = $1 OR high_id = $1 ORDER BY requested_at, id`,
      ),
    ];
  }

  /** Both directions: nobody follows, blocks or knows who is not there. The counts of the others stay right. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    const run = async (sql: string): Promise<void> => {
      await manager.query(sql, [userId]);
    };
    await run(`SELECT FROM social_counts WHERE user_id = $1
       OR user_id IN (SELECT follower_id FROM follows WHERE followee_id = $1)
       OR user_id IN (SELECT followee_id FROM follows WHERE follower_id = $1) ORDER BY user_id FOR UPDATE`);
    await run(`WITH gone AS (DELETE FROM follows WHERE follower_id = $1 RETURNING followee_id)
       UPDATE social_counts c SET followers = followers - 1 FROM gone WHERE c.user_id = gone.followee_id`);
    await run(`WITH gone AS (DELETE FROM follows WHERE followee_id = $1 RETURNING follower_id)
       UPDATE social_counts c SET following = following - 1 FROM gone WHERE c.user_id = gone.follower_id`);
    await run('UPDATE social_counts SET followers = 0, following = 0 WHERE user_id = $1');
    await run('DELETE FROM blocks WHERE blocker_id = $1 OR blocked_id = $1');
    await run('DELETE FROM mutes WHERE muter_id = $1 OR muted_id = $1');
    await run('DELETE FROM contacts WHERE low_id = $1 OR high_id = $1');
    await run('DELETE FROM handle_reservations WHERE user_id = $1');
    await run(`UPDATE profiles SET bio = NULL, avatar_url = NULL, country = NULL, favourite_sports = '{}',
              handle_changed_at = NULL WHERE user_id = $1`);
  }
}
