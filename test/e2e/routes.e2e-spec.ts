import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Attack,
  bearer,
  bodyOf,
  EveryRoute,
  JSON_TYPE,
  textOf,
  withKey,
} from '../support/every-route.js';
import { nothingChanges } from '../support/nothing-changes.js';
import { brokenEnvelope, inBatches, shoot } from '../support/refusals.js';

/** Who may call it, from where, and what it answers where it is not. What it is sent: routes.bodies, routes.addresses. */
describe('every route', () => {
  let routes: EveryRoute;

  beforeAll(async () => {
    routes = await EveryRoute.start();
  });
  afterAll(async () => routes.system.stop());
  nothingChanges(() => routes.system);

  it('is one of those that are known to be open, or asks for a session', async () => {
    const open = routes.operations
      .filter(({ operation }) => operation.security?.length === 0)
      .map(({ name }) => name);
    expect(open.toSorted((a, b) => a.localeCompare(b))).toEqual([
      'GET /api/v1/auth/oauth/{provider}',
      'GET /api/v1/auth/oauth/{provider}/callback',
      'GET /api/v1/clock',
      'GET /api/v1/shared-bets/{code}',
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
    const guarded = routes.operations.filter(({ operation }) => operation.security?.length !== 0);
    expect(
      await routes.notRefused(
        guarded,
        (operation): Attack[] => [
          { what: 'no token', headers: { ...JSON_TYPE, ...withKey() }, body: textOf(bodyOf(operation)) },
          { what: 'a token of nobody', headers: { Authorization: 'Bearer a.b.c' } },
        ],
        'UNAUTHENTICATED',
      ),
    ).toEqual([]);
  });

  it('of an admin refuses a user, whatever they send', async () => {
    const ofAdmins = routes.operations.filter(({ path }) => path.startsWith('/api/v1/admin/'));
    expect(ofAdmins.filter(({ operation }) => operation['x-permissions']?.length !== 1)).toEqual([]);
    expect(routes.operations.filter(({ operation }) => operation['x-permissions'] !== undefined)).toEqual(
      ofAdmins,
    );
    expect(
      await routes.notRefused(
        ofAdmins,
        (operation) => [
          {
            what: 'a good request',
            headers: { ...bearer(routes.player), ...JSON_TYPE, ...withKey() },
            body: textOf(bodyOf(operation)),
          },
          { what: 'a bad request', headers: { ...bearer(routes.player), ...JSON_TYPE } },
        ],
        'FORBIDDEN',
      ),
    ).toEqual([]);
  });

  it('that moves credits asks for a key', async () => {
    const keys = ['', 'with space', 'x'.repeat(256), 'é', '\t'];
    expect(
      await routes.notRefused(
        routes.operations.filter(({ operation }) =>
          operation.parameters?.some(({ name }) => name === 'Idempotency-Key'),
        ),
        (operation) => [
          {
            what: 'no key',
            headers: { ...bearer(routes.admin), ...JSON_TYPE },
            body: textOf(bodyOf(operation)),
          },
          ...keys.map((key) => ({
            what: key,
            headers: { ...bearer(routes.admin), ...JSON_TYPE, 'Idempotency-Key': key },
            body: textOf(bodyOf(operation)),
          })),
        ],
        'IDEMPOTENCY_KEY_REQUIRED',
      ),
    ).toEqual([]);
  });

  it("answers for another's bet as for none", async () => {
    const { betId } = routes;
    const others = await routes.player.get(`bets/${betId}`);
    const none = await routes.player.get('bets/999999999');
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
    expect((await routes.player.get('bets')).data).toEqual([]);
  });

  it('answers in its envelope where it does not exist', async () => {
    const methods = ['POST', 'PUT', 'PATCH', 'DELETE', 'GET'];
    const known = new Set(routes.operations.map(({ method, path }) => `${method} ${path}`));
    const shots = [...new Set(routes.operations.map(({ path }) => path))].flatMap((path) =>
      methods
        .filter((method) => !known.has(`${method} ${path}`))
        .map((method) => ({
          what: `${method} ${path}`,
          method,
          path: path.replace(/\{\w+\}/g, 'x'),
          headers: bearer(routes.admin),
        })),
    );
    const wrong: string[] = [];
    await inBatches(shots, async (shot) => {
      const hit = await shoot(routes.system.url, shot);
      const problem =
        brokenEnvelope(hit) ?? (hit.status === 404 || hit.status === 400 ? null : `status ${hit.status}`);
      if (problem !== null) wrong.push(`${shot.what}: ${problem}`);
    });
    expect(wrong).toEqual([]);
  });

  it('may be called by browsers from the origins that are listed, and from no other', async () => {
    const ask = (method: string, origin: string) =>
      fetch(`${routes.system.url}/api/v1/clock`, {
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
