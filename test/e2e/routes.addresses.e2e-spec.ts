import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  bearer,
  bodyOf,
  EveryRoute,
  isWrite,
  JSON_TYPE,
  pathOf,
  textOf,
  withKey,
} from '../support/every-route.js';
import { nothingChanges } from '../support/nothing-changes.js';

/** Every operation meets every kind of bad query, cursor and id in its path: a new route as well. */
describe('every route', () => {
  let routes: EveryRoute;

  beforeAll(async () => {
    routes = await EveryRoute.start();
  });
  afterAll(async () => routes.system.stop());
  nothingChanges(() => routes.system);

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
    expect(
      await routes.notRefused(
        routes.operations.filter(({ operation }) =>
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
            headers: bearer(routes.admin),
            path: `${pathOf(operation)}?${query}`,
          }));
        },
      ),
    ).toEqual([]);
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
    expect(
      await routes.notRefused(
        routes.operations.filter(({ operation }) =>
          operation.parameters?.some(({ name }) => name === 'cursor'),
        ),
        (operation) =>
          cursors.map((cursor) => ({
            what: cursor,
            headers: bearer(routes.admin),
            path: `${pathOf(operation)}?cursor=${encodeURIComponent(cursor)}`,
          })),
        'INVALID_CURSOR',
      ),
    ).toEqual([]);
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
    expect(
      await routes.notRefused(
        routes.operations.filter(({ path }) => path.includes('{')),
        (operation) =>
          [...operation.path.matchAll(/\{(\w+)\}/g)].flatMap(([, name = '']) =>
            ids.map((id) => ({
              what: `${name} = ${id.slice(0, 40)}`,
              headers: { ...bearer(routes.admin), ...JSON_TYPE, ...withKey() },
              path: pathOf(operation, { [name]: id }),
              ...(isWrite(operation) ? { body: textOf(bodyOf(operation)) } : {}),
            })),
          ),
      ),
    ).toEqual([]);
  });
});
