import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  bearer,
  bodyOf,
  EveryRoute,
  isWrite,
  JSON_TYPE,
  takesBody,
  withKey,
} from '../support/every-route.js';
import { nothingChanges } from '../support/nothing-changes.js';

/** Every operation of the document that the running API serves meets every kind of bad body: a new route as well. */
describe('every route that takes a body, or none', () => {
  let routes: EveryRoute;

  beforeAll(async () => {
    routes = await EveryRoute.start();
  });
  afterAll(async () => routes.system.stop());
  nothingChanges(() => routes.system);

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
    expect(
      await routes.notRefused(
        routes.operations.filter(isWrite),
        () =>
          texts.map((body) => ({
            what: body,
            headers: { ...bearer(routes.admin), ...JSON_TYPE, ...withKey() },
            body,
          })),
        'MALFORMED_JSON',
      ),
    ).toEqual([]);
  });

  it('refuses a body that is no object, or an object of another shape', async () => {
    expect(
      await routes.notRefused(
        routes.operations.filter(takesBody),
        (operation) => {
          const good = bodyOf(operation)!;
          const { required } = routes.schemaOf(operation);
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
          ].map((body) => ({
            what: body,
            headers: { ...bearer(routes.admin), ...JSON_TYPE, ...withKey() },
            body,
          }));
        },
        'VALIDATION_FAILED',
      ),
    ).toEqual([]);
  });

  it('takes no property that its body does not have, least of all one that gives somebody more', async () => {
    const assigned = {
      role: 'admin',
      status: 'active',
      emailVerified: true,
      id: randomUUID(),
      userId: routes.player.userId,
      balance: 1_000_000,
      permissions: ['users.write'],
      isAdmin: true,
    };
    expect(
      await routes.notRefused(
        routes.operations.filter(takesBody),
        (operation) => {
          const good = bodyOf(operation)!;
          const { properties } = routes.schemaOf(operation);
          // An object of which its sender names the properties is a value, not a form.
          const inner = Object.entries(good).filter(
            ([field, value]) =>
              value !== null && typeof value === 'object' && !('propertyNames' in (properties[field] ?? {})),
          );
          const bodies = Object.entries(assigned)
            .filter(([name]) => !(name in properties))
            .flatMap(([name, value]) => [
              { ...good, [name]: value },
              ...inner.map(([field, object]) => ({
                ...good,
                [field]: { ...(object as object), [name]: value },
              })),
            ]);
          return [routes.player, routes.admin].flatMap((caller) =>
            bodies.map((body) => ({
              what: JSON.stringify(body),
              headers: { ...bearer(caller), ...JSON_TYPE, ...withKey() },
              body: JSON.stringify(body),
            })),
          );
        },
        'VALIDATION_FAILED',
        'FORBIDDEN', // a player is not told what is wrong with a body for admins
      ),
    ).toEqual([]);
  });

  it('refuses fields of another type, and text that cannot be stored', async () => {
    const wrong: Record<string, unknown[]> = {
      string: [null, 0, 1.5, true, {}, [], ['a'], { a: 1 }, '', 'x'.repeat(5000), 'a\0b', '\ud800'],
      integer: [null, '', '1', 'one', 1.5, -1, 1e300, -1e300, Number.MAX_SAFE_INTEGER + 2, true, {}, [], [1]],
      boolean: [null, 0, 1, '', 'true', {}, []],
    };
    expect(
      await routes.notRefused(
        routes.operations.filter(takesBody),
        (operation) =>
          Object.entries(routes.schemaOf(operation).properties).flatMap(([name, schema]) =>
            (wrong[String(schema['type'])] ?? []).map((value) => {
              const body = JSON.stringify({ ...bodyOf(operation), [name]: value });
              return {
                what: body.slice(0, 300),
                headers: { ...bearer(routes.admin), ...JSON_TYPE, ...withKey() },
                body,
              };
            }),
          ),
        'VALIDATION_FAILED',
      ),
    ).toEqual([]);
  });

  it('refuses bodies that are nested without end', async () => {
    const deep = `${'['.repeat(40_000)}${']'.repeat(40_000)}`;
    const deepObject = `${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}`;
    expect(
      await routes.notRefused(
        routes.operations.filter(isWrite),
        (operation) =>
          [deep, deepObject, `{"${Object.keys(bodyOf(operation) ?? { a: 1 })[0]}":${deep}}`].map((body) => ({
            what: body.slice(0, 30),
            headers: { ...bearer(routes.admin), ...JSON_TYPE, ...withKey() },
            body,
          })),
        'VALIDATION_FAILED',
      ),
    ).toEqual([]);
  });

  it('refuses a body that is too large', async () => {
    expect(
      await routes.notRefused(
        routes.operations.filter(isWrite),
        (operation) => [
          {
            what: '150 kB',
            headers: { ...bearer(routes.admin), ...JSON_TYPE, ...withKey() },
            body: JSON.stringify({ ...bodyOf(operation), padding: 'x'.repeat(150_000) }),
          },
        ],
        'BODY_TOO_LARGE',
      ),
    ).toEqual([]);
  });

  it('refuses a body that does not say that it is JSON', async () => {
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/json',
    ];
    expect(
      await routes.notRefused(
        routes.operations.filter(isWrite),
        (operation) =>
          types.map((type) => ({
            what: type,
            headers: { ...bearer(routes.admin), ...withKey(), 'Content-Type': type },
            body: JSON.stringify(bodyOf(operation) ?? {}),
          })),
        'UNSUPPORTED_MEDIA_TYPE',
      ),
    ).toEqual([]);
  });

  it('refuses a body where it takes none, and takes an empty object for none', async () => {
    const without = routes.operations.filter((operation) => isWrite(operation) && !takesBody(operation));
    const bodies = [
      '{"reason":"spam"}',
      '{"__proto__":{"admin":true}}',
      'null',
      '[]',
      '[{}]',
      '""',
      '0',
      'false',
    ];
    expect(
      await routes.notRefused(
        without,
        () =>
          bodies.map((body) => ({
            what: body,
            headers: { ...bearer(routes.admin), ...JSON_TYPE, ...withKey() },
            body,
          })),
        'VALIDATION_FAILED',
      ),
    ).toEqual([]);
    const named = await routes.player.post('auth/logout', { everywhere: true });
    expect(named.error.details).toEqual({
      fields: [{ field: 'everywhere', problems: ['property everywhere should not exist'] }],
    });
    const nobodys = await routes.player.post(`users/${randomUUID()}/follow`, {});
    expect([nobodys.status, nobodys.error.code]).toEqual([404, 'USER_NOT_FOUND']);
  });
});
