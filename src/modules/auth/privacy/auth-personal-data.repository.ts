import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../../platform/privacy/personal-data.decorator.js';
import { SessionsService } from '../sessions.service.js';

/** Passwords, sessions and mailed links. */
@HoldsPersonalData()
@Injectable()
export class AuthPersonalData implements PersonalDataHolder {
  readonly tables = [
    'credentials',
    'sessions',
    'refresh_tokens',
    'refresh_answers',
    'session_settings',
    'mail_links',
  ];
  readonly kept = [];

  constructor(private readonly sessions: SessionsService) {}

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    const section = sectionsOf(snapshot, userId);
    return [
      section('password', 'SELECT changed_at FROM credentials WHERE user_id = $1'),
      section(
        'sessions',
        `SELECT id, proof, second_factor, device, user_agent, address, fingerprint, created_at, last_used_at, expires_at,
                ended_at, end_reason, checked_at, zone
         FROM sessions WHERE user_id = $1 ORDER BY id`,
      ),
      section(
        'session-settings',
        'SELECT idle_seconds, check_minutes FROM session_settings WHERE user_id = $1',
      ),
      section(
        'mail-links',
        `SELECT purpose, requested_at, sent_at, used_at, expires_at FROM mail_links WHERE user_id = $1
         ORDER BY requested_at, id`,
      ),
    ];
  }

  /** The rows of sessions stay a while, blank: they are how a Redis that was away hears that they have ended. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    await this.sessions.endAll(manager, userId, 'erased');
    for (const sql of [
      'DELETE FROM refresh_answers a USING sessions s WHERE s.id = a.session_id AND s.user_id = $1',
      'DELETE FROM refresh_tokens t USING sessions s WHERE s.id = t.session_id AND s.user_id = $1',
      `UPDATE sessions SET user_agent = NULL, device = NULL, address = NULL, fingerprint = NULL, jkt = NULL, zone = NULL
       WHERE user_id = $1`,
      'DELETE FROM credentials WHERE user_id = $1',
      'DELETE FROM session_settings WHERE user_id = $1',
      'DELETE FROM mail_links WHERE user_id = $1',
    ])
      await manager.query(sql, [userId]);
  }
}
