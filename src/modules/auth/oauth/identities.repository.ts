import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { ProviderIdentity, ProviderName } from './oauth.types.js';

export interface LinkedIdentity {
  provider: ProviderName;
  email: string | null;
  privateRelay: boolean;
  linkedAt: Date;
  lastUsedAt: Date;
}

/** Which account at a provider is which account here. */
@Injectable()
export class IdentitiesRepository {
  constructor(private readonly database: Database) {}

  /** Whose identity it is. */
  async findUserId(provider: ProviderName, subject: string): Promise<string | null> {
    const [row] = await this.database.query<{ user_id: string }>(
      'oauth_identities.find',
      'SELECT user_id FROM oauth_identities WHERE provider = $1 AND subject = $2',
      [provider, subject],
    );
    return row?.user_id ?? null;
  }

  /** Whose identity it is, once nobody else is opening or linking an account for it: until this transaction ends. */
  async lockUserId(manager: EntityManager, provider: ProviderName, subject: string): Promise<string | null> {
    await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `oauth:${provider}:${subject}`,
    ]);
    const [row] = await manager.query<{ user_id: string }[]>(
      'SELECT user_id FROM oauth_identities WHERE provider = $1 AND subject = $2',
      [provider, subject],
    );
    return row?.user_id ?? null;
  }

  async insert(
    manager: EntityManager,
    userId: string,
    { provider, subject, email, emailVerified, privateRelay }: ProviderIdentity,
    now: Date,
  ): Promise<void> {
    await manager.query(
      `INSERT INTO oauth_identities (provider, subject, user_id, email, email_verified, private_relay, linked_at, last_used_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
      [provider, subject, userId, email, emailVerified, privateRelay, now],
    );
  }

  /** Notes the use; false when it is not this user's (any more). */
  async touch(
    manager: EntityManager,
    userId: string,
    { provider, subject }: ProviderIdentity,
    now: Date,
  ): Promise<boolean> {
    const [, touched] = await manager.query<[unknown[], number]>(
      'UPDATE oauth_identities SET last_used_at = $4 WHERE provider = $1 AND subject = $2 AND user_id = $3',
      [provider, subject, userId, now],
    );
    return touched === 1;
  }

  /** Index: ux_oauth_identities_user. */
  async list(userId: string): Promise<LinkedIdentity[]> {
    return await this.database.query<LinkedIdentity>(
      'oauth_identities.list',
      `SELECT provider, email, private_relay AS "privateRelay", linked_at AS "linkedAt", last_used_at AS "lastUsedAt"
       FROM oauth_identities WHERE user_id = $1 ORDER BY provider`,
      [userId],
    );
  }

  async has(manager: EntityManager, userId: string, provider: ProviderName): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      'SELECT 1 FROM oauth_identities WHERE user_id = $1 AND provider = $2',
      [userId, provider],
    );
    return rows.length > 0;
  }

  /** True when the account can be entered at all: by a password, a phone or a provider. */
  async hasWayIn(manager: EntityManager, userId: string): Promise<boolean> {
    const [row] = await manager.query<{ has: boolean }[]>(
      `SELECT EXISTS (SELECT FROM credentials WHERE user_id = $1)
           OR EXISTS (SELECT FROM user_phones WHERE user_id = $1)
           OR EXISTS (SELECT FROM oauth_identities WHERE user_id = $1) AS has`,
      [userId],
    );
    return row?.has === true;
  }

  async delete(manager: EntityManager, userId: string, provider: ProviderName): Promise<boolean> {
    const [, deleted] = await manager.query<[unknown[], number]>(
      'DELETE FROM oauth_identities WHERE user_id = $1 AND provider = $2',
      [userId, provider],
    );
    return deleted === 1;
  }
}
