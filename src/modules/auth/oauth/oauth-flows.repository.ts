import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { ProviderName } from './oauth.types.js';

export interface BrowserRequest {
  redirectTo: string;
  challenge: string;
}

export interface TicketRow {
  challenge: string;
  sealed: Buffer;
}

const FORGETTABLE = ['oauth_requests', 'oauth_tickets', 'oauth_used_tokens'] as const;
const KEYS = { oauth_requests: 'state_hash', oauth_tickets: 'ticket_hash', oauth_used_tokens: 'token_hash' };

/** What is under way between browsers, providers and apps. All of it is short-lived and works once. */
@Injectable()
export class OAuthFlowsRepository {
  constructor(private readonly database: Database) {}

  async insertRequest(
    request: BrowserRequest & {
      stateHash: Buffer;
      browserHash: Buffer;
      provider: ProviderName;
      expiresAt: Date;
    },
  ): Promise<void> {
    await this.database.query(
      'oauth_requests.insert',
      `INSERT INTO oauth_requests (state_hash, browser_hash, provider, redirect_to, challenge, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [
        request.stateHash,
        request.browserHash,
        request.provider,
        request.redirectTo,
        request.challenge,
        request.expiresAt,
      ],
    );
  }

  /** Uses up what this browser has begun: of answers that come at once exactly one gets it. Another browser's stays. */
  async takeRequest(
    stateHash: Buffer,
    browserHash: Buffer,
    provider: ProviderName,
    now: Date,
  ): Promise<BrowserRequest | null> {
    const [row] = await this.database.query<{ redirect_to: string; challenge: string }>(
      'oauth_requests.take',
      `DELETE FROM oauth_requests
       WHERE state_hash = $1 AND browser_hash = $2 AND provider = $3 AND expires_at > $4
       RETURNING redirect_to, challenge`,
      [stateHash, browserHash, provider, now],
    );
    return row ? { redirectTo: row.redirect_to, challenge: row.challenge } : null;
  }

  async insertTicket(ticket: {
    hash: Buffer;
    provider: ProviderName;
    challenge: string;
    sealed: Buffer;
    now: Date;
    expiresAt: Date;
  }): Promise<void> {
    await this.database.query(
      'oauth_tickets.insert',
      `INSERT INTO oauth_tickets (ticket_hash, provider, challenge, sealed, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [ticket.hash, ticket.provider, ticket.challenge, ticket.sealed, ticket.now, ticket.expiresAt],
    );
  }

  async findTicket(hash: Buffer, provider: ProviderName, now: Date): Promise<TicketRow | null> {
    const [row] = await this.database.query<TicketRow>(
      'oauth_tickets.find',
      'SELECT challenge, sealed FROM oauth_tickets WHERE ticket_hash = $1 AND provider = $2 AND expires_at > $3',
      [hash, provider, now],
    );
    return row ?? null;
  }

  /** Gives whoever holds the ticket so many seconds from its making; a ticket that has expired stays so. */
  async prolongTicket(hash: Buffer, seconds: number, now: Date): Promise<void> {
    await this.database.query(
      'oauth_tickets.prolong',
      `UPDATE oauth_tickets SET expires_at = created_at + make_interval(secs => $2)
       WHERE ticket_hash = $1 AND expires_at > $3 AND expires_at < created_at + make_interval(secs => $2)`,
      [hash, seconds, now],
    );
  }

  /** Uses a ticket up: of those who try at once exactly one does. */
  async useTicket(manager: EntityManager, hash: Buffer, now: Date): Promise<boolean> {
    const [, used] = await manager.query<[unknown[], number]>(
      'DELETE FROM oauth_tickets WHERE ticket_hash = $1 AND expires_at > $2',
      [hash, now],
    );
    return used === 1;
  }

  /** Uses an ID token up: of those who try at once exactly one does. */
  async useIdToken(manager: EntityManager, hash: Buffer, expiresAt: Date): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      'INSERT INTO oauth_used_tokens (token_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1',
      [hash, expiresAt],
    );
    return rows.length === 1;
  }

  /** What deletes at most `limit` rows of each table that have expired. Indexes: ix_oauth_…_expires. */
  forgets(now: () => Date): ((limit: number) => Promise<number>)[] {
    return FORGETTABLE.map((table) => async (limit: number) => {
      const rows = await this.database.query(
        `${table}.forget`,
        `DELETE FROM ${table} WHERE ${KEYS[table]} = ANY (ARRAY(
           SELECT ${KEYS[table]} FROM ${table} WHERE expires_at <= $2 LIMIT $1)) RETURNING 1`,
        [limit, now()],
      );
      return rows.length;
    });
  }
}
