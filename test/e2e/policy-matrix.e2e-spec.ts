import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type DocumentedOperation,
  type OpenApiDocument,
  operationsOf,
} from '../../scripts/openapi/document.js';
import { Builders, type TestGame } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { bearer, bodyOf, JSON_TYPE, pathOf, textOf, withKey } from '../support/every-route.js';
import { joinPool } from '../support/members.js';
import { classOf, STAKES } from '../support/operation-classes.js';
import { brokenEnvelope, type Hit, inBatches, shoot } from '../support/refusals.js';
import { startSystem, type System } from '../support/system.js';

const WEEK = 202340;
/** Of the embedded country database. */
const ADDRESS = {
  closed: '175.45.176.1',
  unlisted: '192.0.2.1',
  withoutState: '8.8.8.8',
  britain: '81.2.69.142',
};

/** What the policy, and what books, refuse with. */
const VERDICTS = [
  'GEO_BLOCKED',
  'SELF_EXCLUDED',
  'TIMED_OUT',
  'UNDER_AGE',
  'AGE_NOT_VERIFIED',
  'REALITY_CHECK_DUE',
  'LIMIT_EXCEEDED',
  'REAUTHENTICATION_REQUIRED',
  'SESSION_ENDED',
];

type Class = ReturnType<typeof classOf>;
type Expected = Readonly<Partial<Record<Exclude<Class, null> | 'other', string>>>;

interface Circumstance {
  /** What has to be done to players to be in it. */
  readonly sql?: string;
  readonly birthDate?: string;
  readonly address?: string;
  /** What each of them does before. */
  readonly before?: (client: Client) => Promise<{ status: number }>;
  /** What each kind of operation is refused with; what is not named is not refused for it. */
  readonly refused: Expected;
}

const PLACE: Expected = {
  stake: 'GEO_BLOCKED',
  deposit: 'GEO_BLOCKED',
  social: 'GEO_BLOCKED',
  read: 'GEO_BLOCKED',
  opening: 'GEO_BLOCKED',
};
const money = (code: string): Expected => ({ stake: code, deposit: code });
const everything = (code: string): Expected => ({
  ...money(code),
  withdraw: code,
  social: code,
  read: code,
  other: code,
});

const CIRCUMSTANCES: Readonly<Record<string, Circumstance>> = {
  'nothing against them': { refused: {} },
  excluded: {
    sql: `INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at)
          SELECT gen_random_uuid(), u, 'self_exclusion', parley_now() - interval '1 hour', parley_now() + interval '1 year' FROM unnest($1::uuid[]) u`,
    refused: { ...money('SELF_EXCLUDED'), social: 'SELF_EXCLUDED' },
  },
  'timed out': {
    sql: `INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at)
          SELECT gen_random_uuid(), u, 'time_out', parley_now() - interval '1 hour', parley_now() + interval '1 day' FROM unnest($1::uuid[]) u`,
    refused: money('TIMED_OUT'),
  },
  'under age': { birthDate: '2005-10-04', refused: money('UNDER_AGE') },
  'of an age that nobody has verified, where that is asked for': {
    address: ADDRESS.britain,
    refused: money('AGE_NOT_VERIFIED'),
  },
  'in a closed place': { address: ADDRESS.closed, refused: PLACE },
  'in an unknown place': { address: ADDRESS.unlisted, refused: PLACE },
  'in an unknown state': { address: ADDRESS.withoutState, refused: PLACE },
  'due a reality check': {
    sql: `UPDATE sessions SET checked_at = parley_now() - interval '61 minutes' WHERE user_id = ANY ($1::uuid[])`,
    refused: money('REALITY_CHECK_DUE'),
  },
  'of an idle session': {
    sql: `UPDATE sessions SET last_used_at = parley_now() - interval '61 minutes' WHERE user_id = ANY ($1::uuid[])`,
    refused: {
      ...money('REAUTHENTICATION_REQUIRED'),
      withdraw: 'REAUTHENTICATION_REQUIRED',
      social: 'REAUTHENTICATION_REQUIRED',
    },
  },
  'at a limit of their own': {
    before: async (client) =>
      await client.call('PUT', 'compliance/limits', {
        body: { kind: 'deposit', period: 'day', currency: 'USD', amount: 1 },
      }),
    refused: { deposit: 'LIMIT_EXCEEDED' },
  },
  banned: {
    sql: `WITH banned AS (UPDATE users SET status = 'banned', ban_reason = 'spam' WHERE id = ANY ($1::uuid[]))
          UPDATE sessions SET ended_at = parley_now(), end_reason = 'banned' WHERE user_id = ANY ($1::uuid[])`,
    refused: everything('SESSION_ENDED'),
  },
};

/** Every operation, in every circumstance that may keep somebody from it: a new one has to be told to the tests first. */
describe('the rules of play, at every operation', () => {
  let system: System;
  let document: OpenApiDocument;
  let operations: DocumentedOperation[];
  let make: Builders;
  let game: TestGame;
  let other: Client;

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { TRUSTED_PROXIES: 'loopback', GEO_DATABASE: '' },
    });
    make = new Builders(system);
    await make.week(WEEK, { group: false });
    [other] = (await make.players(2, { pass: WEEK })) as [Client, Client];
    await make.week(WEEK);
    await make.week(202341, { group: false });
    game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    document = (await (await fetch(`${system.url}/docs/openapi.json`)).json()) as OpenApiDocument;
    operations = operationsOf(document);
  });
  afterAll(async () => system.stop());

  it('are declared as the tests know them', () => {
    const declared = operations.map(({ name, operation }) => [name, declaredClass(operation as never)]);
    expect(Object.fromEntries(declared)).toEqual(
      Object.fromEntries(operations.map(({ name }) => [name, classOf(name)])),
    );
  });

  /** What would be done by it, were nothing against it. */
  function wanted({ name, ...operation }: DocumentedOperation): { path: string; body: unknown } {
    const path = (text: string) => `/api/v1/${text}`;
    switch (name) {
      case 'POST /api/v1/bets':
        return {
          path: path('bets'),
          body: { marketId: game.total.id, outcome: 'over', stake: 10, acceptOdds: 'any' },
        };
      case 'POST /api/v1/bets/quote':
        return {
          path: path('bets/quote'),
          body: { marketId: game.total.id, outcome: 'over', stake: 10, acceptOdds: 'any' },
        };
      case 'POST /api/v1/payments/checkout':
        return {
          path: path('payments/checkout'),
          body: { purpose: 'week_pass', currency: 'USD', provider: 'sandbox' },
        };
      case 'POST /api/v1/wallet/deposits':
        return {
          path: path('wallet/deposits'),
          body: { amount: 2500, currency: 'USD', provider: 'sandbox' },
        };
      case 'POST /api/v1/users/{id}/follow':
        return { path: path(`users/${other.userId}/follow`), body: undefined };
      case 'POST /api/v1/contacts/request':
        return { path: path('contacts/request'), body: { userId: other.userId } };
      default:
        return { path: pathOf({ name, ...operation }), body: bodyOf({ name, ...operation }) };
    }
  }

  const isPublic = ({ operation }: DocumentedOperation) => (operation.security ?? []).length === 0;

  function expectedOf(operation: DocumentedOperation, { refused, address }: Circumstance): string | null {
    if (isPublic(operation) && address === undefined) return null;
    return refused[classOf(operation.name) ?? 'other'] ?? null;
  }

  function problem(hit: Hit, expected: string | null): string | null {
    const { status, code = '' } = hit;
    if (expected === null) {
      if (status >= 500) return `answered ${status}`;
      return VERDICTS.includes(code) ? `refused with ${code}` : null;
    }
    if (code !== expected) return `${status} ${code} instead of ${expected}`;
    return brokenEnvelope(hit);
  }

  it.each(Object.entries(CIRCUMSTANCES))('to who is %s', async (name, circumstance) => {
    const { sql, birthDate, address, before } = circumstance;
    // What is about oneself may end the session: each operation is somebody else's.
    const players = await make.players(operations.length, birthDate === undefined ? {} : { birthDate });
    await joinPool(
      system,
      WEEK,
      players.filter((_, n) => STAKES.includes(operations[n]!.name)),
    );
    if (sql !== undefined) await system.db.query(sql, [players.map(({ userId }) => userId)]);
    const prepared: number[] = [];
    await inBatches(before ? players : [], async (player) => {
      prepared.push((await before!(player)).status);
    });
    expect(prepared.filter((status) => status >= 300)).toEqual([]);
    const wrong: string[] = [];
    await inBatches([...operations.entries()], async ([n, operation]) => {
      const { path, body } = wanted(operation);
      const expected = expectedOf(operation, circumstance);
      // An idle session is refused what writes, whatever it is about, unless its route says otherwise.
      if (name === 'of an idle session' && classOf(operation.name) === null) return;
      const hit = await shoot(system.url, {
        what: operation.name,
        method: operation.method,
        path,
        headers: {
          ...(isPublic(operation) ? {} : bearer(players[n]!)),
          ...(address === undefined ? {} : { 'X-Forwarded-For': address }),
          ...(body === undefined ? {} : JSON_TYPE),
          ...withKey(),
          'X-Request-Id': randomUUID(),
        },
        ...(body === undefined ? {} : { body: textOf(body) }),
      });
      const found = problem(hit, expected);
      if (found !== null) wrong.push(`${operation.name}: ${found}`);
    });
    expect(wrong.toSorted()).toEqual([]);
  });

  it('lets who has nothing against them stake, pay and speak: else the refusals above would prove nothing', async () => {
    const players = await make.players(operations.length);
    await joinPool(
      system,
      WEEK,
      players.filter((_, n) => STAKES.includes(operations[n]!.name)),
    );
    const done: string[] = [];
    for (const [n, operation] of operations.entries()) {
      if (!['stake', 'deposit', 'social'].includes(classOf(operation.name) ?? '')) continue;
      const { path, body } = wanted(operation);
      const { status } = await shoot(system.url, {
        what: operation.name,
        method: operation.method,
        path,
        headers: { ...bearer(players[n]!), ...(body === undefined ? {} : JSON_TYPE), ...withKey() },
        ...(body === undefined ? {} : { body: textOf(body) }),
      });
      if (status < 300) done.push(operation.name);
    }
    expect(done.toSorted()).toEqual(
      operations
        .map(({ name }) => name)
        .filter((name) => ['stake', 'deposit', 'social'].includes(classOf(name) ?? ''))
        .filter((name) => name !== 'PUT /api/v1/contacts/{id}/accept') // nobody has asked them
        .toSorted(),
    );
  });
});

/** The document's word, in the tests' terms. */
function declaredClass(operation: Record<string, unknown>): Class {
  const declared = operation['x-operation-class'];
  if (declared === 'account') return operation['x-product'] === undefined ? null : 'opening';
  return declared === 'staff' || declared === 'machine' ? null : (declared as Class);
}
