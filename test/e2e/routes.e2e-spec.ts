import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type DocumentedOperation,
  type OpenApiDocument,
  operationsOf,
  type Schema,
} from '../../scripts/openapi/document.js';
import { Builders } from '../support/builders.js';
import { Client } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { brokenEnvelope, inBatches, type Shot, shoot, wrongRefusal } from '../support/refusals.js';
import { startSystem, type System } from '../support/system.js';

const WEEK = 202340;
const JSON_TYPE = { 'Content-Type': 'application/json' };
const STRANGE_KEY = 'x'.repeat(256);

/** Every operation of the document that the running API serves meets every kind of bad request: a new route as well. */
describe('every route', () => {
  let system: System;
  let document: OpenApiDocument;
  let operations: DocumentedOperation[];
  let player: Client;
  let admin: Client;
  let betId: string;
  let before: Record<string, string>;

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { CORS_ORIGINS: 'https://app.example.com' },
    });
    const make = new Builders(system);
    await make.week(WEEK, { group: false });
    const [one, two] = await make.players(2, { pass: WEEK });
    await make.week(WEEK);
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const { id: marketId, odds } = game.moneyline;
    const bet = await one!.bet({ marketId, outcome: 'home', stake: 50, oddsId: odds['home'] });
    betId = bet.data.betId;
    player = two!;
    admin = await make.admin();
    document = (await (await fetch(`${system.url}/docs/openapi.json`)).json()) as OpenApiDocument;
    operations = operationsOf(document);
  });
  afterAll(async () => system.stop());

  beforeEach(async () => {
    before = await fingerprint(system);
  });
  afterEach(async () => {
    expect(await fingerprint(system)).toEqual(before);
  });

  /** The path with its parameters' examples, or with the values given. */
  function pathOf({ path, operation }: DocumentedOperation, values: Record<string, string> = {}): string {
    return path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const parameter = (operation.parameters ?? []).find((one) => one.in === 'path' && one.name === name);
      return values[name] ?? encodeURIComponent(String(parameter?.schema['example']));
    });
  }

  function bodyOf({ operation }: DocumentedOperation): Record<string, unknown> | undefined {
    return operation.requestBody?.content['application/json']?.example as Record<string, unknown> | undefined;
  }

  function schemaOf({ operation }: DocumentedOperation): {
    required: string[];
    properties: Record<string, Schema>;
  } {
    const reference = operation.requestBody?.content['application/json']?.schema['$ref'];
    const schema = document.components['schemas']?.[String(reference).split('/').at(-1)!];
    const { required = [], properties = {} } = schema as {
      required?: string[];
      properties?: Record<string, Schema>;
    };
    return { required, properties };
  }

  const bearer = (client: Client) => ({ Authorization: `Bearer ${client.token}` });
  const withKey = () => ({ 'Idempotency-Key': randomUUID() });
  const isWrite = ({ method }: DocumentedOperation) => method !== 'GET';
  const takesBody = (operation: DocumentedOperation) => bodyOf(operation) !== undefined;

  type Attack = Omit<Shot, 'method' | 'path'> & { path?: string };

  /** Sends what `attacks` makes of each operation; each must be refused by one of the codes, or any declared one. */
  async function assertRefused(
    which: readonly DocumentedOperation[],
    attacks: (operation: DocumentedOperation) => readonly Attack[],
    ...codes: string[]
  ): Promise<void> {
    const shots = which.flatMap((operation) => attacks(operation).map((attack) => ({ operation, attack })));
    const wrong: string[] = [];
    await inBatches(shots, async ({ operation, attack }) => {
      const hit = await shoot(system.url, { method: operation.method, path: pathOf(operation), ...attack });
      const problem = wrongRefusal(document, operation, hit, codes);
      if (problem !== null) wrong.push(`${operation.name}, ${attack.what}: ${problem}`);
    });
    expect(shots.length).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
  }

  it('is one of those that are known to be open, or asks for a session', async () => {
    const open = operations
      .filter(({ operation }) => operation.security?.length === 0)
      .map(({ name }) => name);
    expect(open.toSorted((a, b) => a.localeCompare(b))).toEqual([
      'GET /api/v1/auth/oauth/{provider}',
      'GET /api/v1/auth/oauth/{provider}/callback',
      'GET /api/v1/clock',
      'GET /api/v1/users/me/export/{id}/download',
      'POST /api/v1/auth/login',
      'POST /api/v1/auth/oauth/{provider}/token',
      'POST /api/v1/auth/otp/send',
      'POST /api/v1/auth/otp/verify',
      'POST /api/v1/auth/password/forgot',
      'POST /api/v1/auth/password/reset',
      'POST /api/v1/auth/refresh',
      'POST /api/v1/auth/register',
      'POST /api/v1/auth/totp/verify',
    ]);
    const guarded = operations.filter(({ operation }) => operation.security?.length !== 0);
    await assertRefused(
      guarded,
      (operation): Attack[] => [
        { what: 'no token', headers: { ...JSON_TYPE, ...withKey() }, body: textOf(bodyOf(operation)) },
        { what: 'a token of nobody', headers: { Authorization: 'Bearer a.b.c' } },
      ],
      'UNAUTHENTICATED',
    );
  });

  /** A body for methods that may have one. */
  function textOf(body: unknown): string | undefined {
    return body === undefined ? undefined : JSON.stringify(body);
  }

  it('of an admin refuses a user, whatever they send', async () => {
    const ofAdmins = operations.filter(({ path }) => path.startsWith('/api/v1/admin/'));
    expect(ofAdmins.filter(({ operation }) => operation['x-permissions']?.length !== 1)).toEqual([]);
    expect(operations.filter(({ operation }) => operation['x-permissions'] !== undefined)).toEqual(ofAdmins);
    await assertRefused(
      ofAdmins,
      (operation) => [
        {
          what: 'a good request',
          headers: { ...bearer(player), ...JSON_TYPE, ...withKey() },
          body: textOf(bodyOf(operation)),
        },
        { what: 'a bad request', headers: { ...bearer(player), ...JSON_TYPE } },
      ],
      'FORBIDDEN',
    );
  });

  it('refuses JSON that is none', async () => {
    const texts = [
      '{"a":',
      '{"a":1}}',
      "{'a':1}",
      'nul',
      'undefined',
      '[1,]',
      '{"a":1,}',
      '\u0000',
      '"\t"',
      '{"a":01}',
    ];
    await assertRefused(
      operations.filter(isWrite),
      () =>
        texts.map((body) => ({
          what: body,
          headers: { ...bearer(admin), ...JSON_TYPE, ...withKey() },
          body,
        })),
      'MALFORMED_JSON',
    );
  });

  it('refuses a body that is no object, or an object of another shape', async () => {
    await assertRefused(
      operations.filter(takesBody),
      (operation) => {
        const good = bodyOf(operation)!;
        const { required } = schemaOf(operation);
        const empty = required.length > 0 ? [{}] : []; // a change of nothing is one that may be asked for
        const values: unknown[] = [null, [], [good], '', 'text', 0, 3.5, true, ...empty, { body: good }];
        const unknown = [
          { ...good, unknown: 1 },
          { ...good, '': '' },
        ];
        const prototype = [...Object.getOwnPropertyNames(Object.prototype), 'prototype'].map(
          (name) => `${JSON.stringify(good).slice(0, -1)},"${name}":{"admin":true}}`,
        );
        const missing = required.map((name) => ({ ...good, [name]: undefined }));
        return [
          ...[...values, ...unknown, ...missing].map((value) => JSON.stringify(value)),
          ...prototype,
        ].map((body) => ({ what: body, headers: { ...bearer(admin), ...JSON_TYPE, ...withKey() }, body }));
      },
      'VALIDATION_FAILED',
    );
  });

  it('takes no property that its body does not have, least of all one that gives somebody more', async () => {
    const assigned = {
      role: 'admin',
      status: 'active',
      emailVerified: true,
      id: randomUUID(),
      userId: player.userId,
      balance: 1_000_000,
      permissions: ['users.write'],
      isAdmin: true,
    };
    await assertRefused(
      operations.filter(takesBody),
      (operation) => {
        const good = bodyOf(operation)!;
        const inner = Object.entries(good).filter(([, value]) => value !== null && typeof value === 'object');
        const bodies = Object.entries(assigned)
          .filter(([name]) => !(name in schemaOf(operation).properties))
          .flatMap(([name, value]) => [
            { ...good, [name]: value },
            ...inner.map(([field, object]) => ({
              ...good,
              [field]: { ...(object as object), [name]: value },
            })),
          ]);
        return [player, admin].flatMap((caller) =>
          bodies.map((body) => ({
            what: JSON.stringify(body),
            headers: { ...bearer(caller), ...JSON_TYPE, ...withKey() },
            body: JSON.stringify(body),
          })),
        );
      },
      'VALIDATION_FAILED',
      'FORBIDDEN', // a player is not told what is wrong with a body for admins
    );
  });

  it('refuses fields of another type, and text that cannot be stored', async () => {
    const wrong: Record<string, unknown[]> = {
      string: [null, 0, 1.5, true, {}, [], ['a'], { a: 1 }, '', 'x'.repeat(5000), 'a\0b', '\ud800'],
      integer: [null, '', '1', 'one', 1.5, -1, 1e300, -1e300, Number.MAX_SAFE_INTEGER + 2, true, {}, [], [1]],
      boolean: [null, 0, 1, '', 'true', {}, []],
    };
    await assertRefused(
      operations.filter(takesBody),
      (operation) =>
        Object.entries(schemaOf(operation).properties).flatMap(([name, schema]) =>
          (wrong[String(schema['type'])] ?? []).map((value) => {
            const body = JSON.stringify({ ...bodyOf(operation), [name]: value });
            return {
              what: body.slice(0, 300),
              headers: { ...bearer(admin), ...JSON_TYPE, ...withKey() },
              body,
            };
          }),
        ),
      'VALIDATION_FAILED',
    );
  });

  it('refuses bodies that are nested without end', async () => {
    const deep = `${'['.repeat(40_000)}${']'.repeat(40_000)}`;
    const deepObject = `${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}`;
    await assertRefused(
      operations.filter(isWrite),
      (operation) =>
        [deep, deepObject, `{"${Object.keys(bodyOf(operation) ?? { a: 1 })[0]}":${deep}}`].map((body) => ({
          what: body.slice(0, 30),
          headers: { ...bearer(admin), ...JSON_TYPE, ...withKey() },
          body,
        })),
      'VALIDATION_FAILED',
    );
  });

  it('refuses a body that is too large', async () => {
    await assertRefused(
      operations.filter(isWrite),
      (operation) => [
        {
          what: '150 kB',
          headers: { ...bearer(admin), ...JSON_TYPE, ...withKey() },
          body: JSON.stringify({ ...bodyOf(operation), padding: 'x'.repeat(150_000) }),
        },
      ],
      'BODY_TOO_LARGE',
    );
  });

  it('refuses a body that does not say that it is JSON', async () => {
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/json',
    ];
    await assertRefused(
      operations.filter(isWrite),
      (operation) =>
        types.map((type) => ({
          what: type,
          headers: { ...bearer(admin), ...withKey(), 'Content-Type': type },
          body: JSON.stringify(bodyOf(operation) ?? {}),
        })),
      'UNSUPPORTED_MEDIA_TYPE',
    );
  });

  it('that moves credits asks for a key', async () => {
    const keys = ['', 'with space', STRANGE_KEY, 'é', '\t'];
    await assertRefused(
      operations.filter(({ operation }) =>
        operation.parameters?.some(({ name }) => name === 'Idempotency-Key'),
      ),
      (operation) => [
        { what: 'no key', headers: { ...bearer(admin), ...JSON_TYPE }, body: textOf(bodyOf(operation)) },
        ...keys.map((key) => ({
          what: key,
          headers: { ...bearer(admin), ...JSON_TYPE, 'Idempotency-Key': key },
          body: textOf(bodyOf(operation)),
        })),
      ],
      'IDEMPOTENCY_KEY_REQUIRED',
    );
  });

  it('refuses queries that it does not know, or of another form', async () => {
    const integers = [
      '',
      '0',
      '-1',
      '1.5',
      '1e1',
      'x',
      'null',
      '%00',
      '99999999999999999999',
      '0x10',
      '%201',
    ];
    const texts = ['', '%00', 'x'.repeat(600), '%F0%9F%98'];
    await assertRefused(
      operations.filter(({ operation }) =>
        operation.parameters?.some((parameter) => parameter.in === 'query'),
      ),
      (operation) => {
        const queries = (operation.operation.parameters ?? [])
          .filter((parameter) => parameter.in === 'query')
          .flatMap(({ name, schema }) => [
            ...(schema['type'] === 'integer' ? integers : texts.slice(0, 3)).map(
              (value) => `${name}=${value}`,
            ),
            `${name}=1&${name}=2`,
            `${name}[]=1`,
            `${name}[a]=1`,
          ]);
        return [
          ...queries,
          'unknown=1',
          '__proto__=1',
          'constructor=1',
          'hasOwnProperty=1',
          'limit=1&unknown=',
        ].map((query) => ({
          what: query,
          headers: bearer(admin),
          path: `${pathOf(operation)}?${query}`,
        }));
      },
    );
  });

  it('refuses cursors that it did not make', async () => {
    const encode = (text: string) => Buffer.from(text).toString('base64url');
    const cursors = [
      'x',
      '%%%',
      encode('|'),
      encode("1' OR '1'='1"),
      encode('1|2|3|4'),
      encode('9'.repeat(40)),
    ];
    await assertRefused(
      operations.filter(({ operation }) => operation.parameters?.some(({ name }) => name === 'cursor')),
      (operation) =>
        cursors.map((cursor) => ({
          what: cursor,
          headers: bearer(admin),
          path: `${pathOf(operation)}?cursor=${encodeURIComponent(cursor)}`,
        })),
      'INVALID_CURSOR',
    );
  });

  it('refuses ids in its path that are none, or are nobody’s', async () => {
    const ids = [
      'x',
      '0',
      '-1',
      '%00',
      '%20',
      '%2e%2e%2f',
      "1'%20OR%20'1'='1",
      '9'.repeat(25),
      'x'.repeat(2000),
      '%F0%9F%92%A9',
      '%ED%A0%80',
      'null',
      'undefined',
      '[object%20Object]',
      '__proto__',
      '00000000-0000-0000-0000-000000000000',
      randomUUID(),
      '2023-W54',
      '1999-W01',
    ];
    await assertRefused(
      operations.filter(({ path }) => path.includes('{')),
      (operation) =>
        [...operation.path.matchAll(/\{(\w+)\}/g)].flatMap(([, name = '']) =>
          ids.map((id) => ({
            what: `${name} = ${id.slice(0, 40)}`,
            headers: { ...bearer(admin), ...JSON_TYPE, ...withKey() },
            path: pathOf(operation, { [name]: id }),
            ...(isWrite(operation) ? { body: textOf(bodyOf(operation)) } : {}),
          })),
        ),
    );
  });

  it("answers for another's bet as for none", async () => {
    const others = await player.get(`bets/${betId}`);
    const none = await player.get('bets/999999999');
    expect([others.status, others.error.code, others.error.details]).toEqual([
      404,
      'BET_NOT_FOUND',
      { betId },
    ]);
    expect([none.status, none.error.code, none.error.message]).toEqual([
      404,
      'BET_NOT_FOUND',
      others.error.message,
    ]);
    expect((await player.get('bets')).data).toEqual([]);
  });

  it('answers in its envelope where it does not exist', async () => {
    const methods = ['POST', 'PUT', 'PATCH', 'DELETE', 'GET'];
    const known = new Set(operations.map(({ method, path }) => `${method} ${path}`));
    const shots = [...new Set(operations.map(({ path }) => path))].flatMap((path) =>
      methods
        .filter((method) => !known.has(`${method} ${path}`))
        .map((method) => ({
          what: `${method} ${path}`,
          method,
          path: path.replace(/\{\w+\}/g, 'x'),
          headers: bearer(admin),
        })),
    );
    const wrong: string[] = [];
    await inBatches(shots, async (shot) => {
      const hit = await shoot(system.url, shot);
      const problem =
        brokenEnvelope(hit) ?? (hit.status === 404 || hit.status === 400 ? null : `status ${hit.status}`);
      if (problem !== null) wrong.push(`${shot.what}: ${problem}`);
    });
    expect(wrong).toEqual([]);
  });

  it('may be called by browsers from the origins that are listed, and from no other', async () => {
    const ask = (method: string, origin: string) =>
      fetch(`${system.url}/api/v1/clock`, {
        method,
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      });
    const allowed = (answer: Response) => answer.headers.get('access-control-allow-origin');
    const [ours, preflight] = [
      await ask('GET', 'https://app.example.com'),
      await ask('OPTIONS', 'https://app.example.com'),
    ];
    expect([allowed(ours), allowed(preflight), preflight.status]).toEqual([
      ...Array(2).fill('https://app.example.com'),
      204,
    ]);
    expect(ours.headers.get('access-control-expose-headers')).toContain('X-Request-Id,Retry-After');
    expect(ours.headers.get('access-control-allow-credentials')).toBeNull();
    for (const origin of [
      'https://evil.example.com',
      'https://app.example.com.evil.com',
      'null',
      'http://app.example.com',
    ])
      expect([allowed(await ask('GET', origin)), allowed(await ask('OPTIONS', origin))]).toEqual([
        null,
        null,
      ]);
  });
});
