import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BlindIndex } from '../../src/platform/security/blind-index.js';
import { Builders, PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';
import { differenceScore } from '../support/timing.js';

/** Tries with a known email, and as many with an unknown one. */
const LOGINS = 100;
const REQUESTS = 200;
const REGISTRATIONS = 100;
const WARMING_UP = 10;
/** Of samples that do not differ, 1 pair in 15,000 scores above it. */
const LIMIT = 4;

describe('whether an email is known', () => {
  let system: System;
  let anyone: Client;
  let known: string[];
  let address = 0;

  beforeAll(async () => {
    // Passwords are cheaper in tests than in earnest: the less the hash takes, the more of a difference beside it would show.
    system = await startSystem({ worker: false, env: { TRUSTED_PROXIES: 'loopback' } });
    anyone = new Client(system.url);
    const make = new Builders(system);
    const players = await make.players(LOGINS + REQUESTS + REGISTRATIONS + 3 * WARMING_UP);
    const { PasswordHasher } = await import('../../src/platform/security/password-hasher.js');
    const stored = await system.app.get(PasswordHasher).hash(PASSWORD);
    const ids = players.map(({ userId }) => userId);
    await system.db.query(
      'INSERT INTO credentials (user_id, password_hash, changed_at) SELECT unnest($1::uuid[]), $2, now()',
      [ids, stored],
    );
    const { rows } = await system.db.query('SELECT email FROM users WHERE id = ANY ($1)', [ids]);
    known = rows.map((row: { email: string }) => row.email);
    await system.db.query('ANALYZE');
  });
  afterAll(async () => system.stop());

  /** Each try comes from an address of its own and is at an email of its own, so that none meets a lock or a limit. */
  async function ask(path: string, body: object): Promise<{ answer: Answer; ms: number }> {
    address += 1;
    const headers = { 'X-Forwarded-For': `10.${address >> 8}.${address & 255}.1` };
    const began = performance.now();
    const answer = await anyone.post(path, body, { headers });
    return { answer, ms: performance.now() - began };
  }

  /** Known and unknown by turns, so that whatever slows the machine slows both. */
  async function compare(
    tries: number,
    path: string,
    bodyOf: (email: string) => object,
  ): Promise<{ known: number[]; unknown: number[]; answers: Set<string> }> {
    const times = { known: [] as number[], unknown: [] as number[] };
    const answers = new Set<string>();
    for (let n = -WARMING_UP; n < tries; n += 1) {
      const given = { known: known.pop()!, unknown: `stranger${n}@example.com` };
      const order = n % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const);
      for (const kind of order) {
        const { answer, ms } = await ask(path, bodyOf(given[kind]));
        if (n < 0) continue;
        times[kind].push(ms);
        const { code, message, details } = answer.error ?? {};
        answers.add(JSON.stringify([answer.status, answer.data ?? null, code, message, details]));
      }
    }
    return { ...times, answers };
  }

  it('is not told by signing in, nor by how long it takes', async () => {
    const login = await compare(LOGINS, 'auth/login', (email) => ({ email, password: 'a wrong password' }));
    expect([...login.answers]).toEqual([expect.stringMatching(/^\[401,null,"INVALID_CREDENTIALS"/)]);
    expect(differenceScore(login.known, login.unknown)).toBeLessThan(LIMIT);
  });

  it('is not told by asking for a new password, nor by how long it takes', async () => {
    const forgot = await compare(REQUESTS, 'auth/password/forgot', (email) => ({ email }));
    expect([...forgot.answers]).toEqual(['[202,null,null,null,null]']);
    expect(differenceScore(forgot.known, forgot.unknown)).toBeLessThan(LIMIT);
  });

  it('to have been that of who was banned is not told by registering, nor by how long it takes', async () => {
    const index = system.app.get(BlindIndex);
    const barred = Array.from({ length: REGISTRATIONS + WARMING_UP }, (_, n) =>
      index.of('email', `stranger${n - WARMING_UP}@example.com`),
    );
    await system.db.query(
      `INSERT INTO barred_identities (identity, user_id, reason, created_at)
       SELECT b.identity, u.id, 'ban', now() FROM unnest($1::bytea[]) AS b (identity),
              (SELECT id FROM users LIMIT 1) AS u`,
      [barred],
    );
    let count = 0;
    const register = await compare(REGISTRATIONS, 'auth/register', (email) => ({
      email,
      password: PASSWORD,
      handle: `newcomer_${(count += 1)}`,
      birthDate: '1990-12-10',
      termsVersion: '2026-11',
    }));
    expect([...register.answers]).toEqual([expect.stringMatching(/^\[409,null,"EMAIL_TAKEN"/)]);
    expect(differenceScore(register.known, register.unknown)).toBeLessThan(LIMIT);
  });
});
