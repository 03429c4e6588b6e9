import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import type { Role } from '../../platform/security/subject.js';
import type { Proof } from './sign-in.types.js';

/** All that a sign-in may write; which of it, sign_in decides. */
export interface SignInValues {
  userId: string;
  proof: Proof;
  secondFactor: boolean;
  /** The password's hash that was compared, the same password hashed anew, and the attempt under which it was. */
  compared: string | null;
  renewed: string | null;
  attempt: { keys: readonly Buffer[]; own: readonly Buffer[] } | null;
  session: { id: string; tokenHash: Buffer; now: Date; expiresAt: Date; kept: number };
  userAgent: string | null;
  device: string | null;
  address: string;
  fingerprint: string | null;
  jkt: string | null;
  numberIndex: Buffer | null;
  knownDevices: readonly Buffer[];
  challenge: { hash: Buffer; expiresAt: Date };
  event: { id: string; topic: string };
  auditId: string;
  requestId: string | null;
}

export interface SignInRow {
  /** What each means stands at sign_in in the migration. */
  outcome: 'refused' | 'banned' | 'challenge' | 'number' | 'full' | 'opened';
  email: string | null;
  handle: string;
  display_name: string;
  role: Role;
  closing_at: Date | null;
  banned_until: Date | null;
  ban_reason: string | null;
}

const SIGN_IN = `
SELECT outcome, email, handle, display_name, role, closing_at, banned_until, ban_reason
FROM sign_in($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, nullif($15, '')::inet, $16, $17, $18, $19, $20,
             $21, $22, $23, $24, $25)`;

@Injectable()
export class SignInRepository {
  constructor(private readonly database: Database) {}

  /** A transaction of its own, committed to the disk like all others: the audit log speaks of it. */
  async signIn(values: SignInValues): Promise<SignInRow> {
    return told(await this.database.query<SignInRow>('sign_in', SIGN_IN, parametersOf(values)));
  }

  /** The same in the caller's transaction. */
  async signInWithin(manager: EntityManager, values: SignInValues): Promise<SignInRow> {
    return told(await manager.query<SignInRow[]>(SIGN_IN, parametersOf(values)));
  }
}

function told([row]: SignInRow[]): SignInRow {
  if (!row) throw new Error('sign_in told nothing');
  return row;
}

function parametersOf(values: SignInValues): unknown[] {
  const { attempt, session, challenge, event } = values;
  return [
    values.userId,
    values.proof,
    values.secondFactor,
    values.compared,
    values.renewed,
    attempt?.keys ?? null,
    attempt?.own ?? null,
    session.id,
    session.tokenHash,
    session.now,
    session.expiresAt,
    session.kept,
    values.userAgent,
    values.device,
    values.address,
    values.fingerprint,
    values.jkt,
    values.numberIndex,
    values.knownDevices,
    challenge.hash,
    challenge.expiresAt,
    event.id,
    event.topic,
    values.auditId,
    values.requestId,
  ];
}
