import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { Builders } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { SignUps } from '../support/sign-ups.js';
import { JWT_PRIVATE_KEY, startSystem } from '../support/system.js';

const outcome = ({ status, error }: Answer) => [status, error?.code ?? null];

describe('the keys of access tokens', () => {
  const keyOf = (type: 'ed25519' | 'P-256') =>
    type === 'P-256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const pem = (key: ReturnType<typeof keyOf>['privateKey']) =>
    key.export({ type: 'pkcs8', format: 'pem' }).toString();

  it.each(['P-256', 'ed25519'] as const)(
    'may be changed for one of %s while sessions live on',
    async (type) => {
      const before = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
      const next = keyOf(type);
      const env = { ...before.env, JWT_PRIVATE_KEY: pem(next.privateKey), JWT_RETIRED_KEYS: JWT_PRIVATE_KEY };
      const after = await startSystem({ worker: false, env });
      try {
        const [player] = await new Builders(before).players(1);
        const old = new Client(after.url, player!.token, player!.userId);
        expect((await old.get('auth/sessions')).status).toBe(200);
        const published = await fetch(`${after.url}/.well-known/jwks.json`);
        const { keys } = (await published.json()) as { keys: Record<string, unknown>[] };
        expect([
          published.status,
          published.headers.get('content-type'),
          published.headers.get('cache-control'),
        ]).toEqual([200, expect.stringContaining('application/jwk-set+json'), 'public, max-age=300']);
        expect(keys.map(({ alg, use, d }) => [alg, use, d])).toEqual([
          [type === 'P-256' ? 'ES256' : 'EdDSA', 'sig', undefined],
          ['EdDSA', 'sig', undefined],
        ]);
        const { data } = await new Client(after.url).post('auth/register', new SignUps(after, 'new').body());
        expect(decodeProtectedHeader(data.accessToken)).toEqual({
          alg: keys[0]!['alg'],
          kid: keys[0]!['kid'],
          typ: 'at+jwt',
        });
        const verified = await jwtVerify(
          data.accessToken,
          createRemoteJWKSet(new URL(`${after.url}/.well-known/jwks.json`)),
          { currentDate: after.now(), issuer: 'parley' },
        );
        expect(verified.payload).toMatchObject({
          sub: data.user.id,
          role: 'user',
          permissions: [],
          sid: expect.any(String),
        });
        const renewed = await new Client(after.url, data.accessToken).get('auth/sessions');
        expect(renewed.status).toBe(200);
        // The process that was not told of the new key does not take it.
        const early = await new Client(before.url, data.accessToken).get('auth/sessions');
        expect(outcome(early)).toEqual([401, 'UNAUTHENTICATED']);
      } finally {
        await after.stop();
        await before.stop();
      }
    },
  );

  it('are known by their kid: another, none or a swapped one is refused, and so is the algorithm of another', async () => {
    const [ec, stranger] = [keyOf('P-256'), keyOf('ed25519')];
    const system = await startSystem({ worker: false, env: { JWT_RETIRED_KEYS: pem(ec.privateKey) } });
    try {
      const [player] = await new Builders(system).players(1);
      const claims = decodeJwt(player!.token!);
      const { kid } = decodeProtectedHeader(player!.token!);
      const { keys } = (await (await fetch(`${system.url}/.well-known/jwks.json`)).json()) as {
        keys: { kid: string }[];
      };
      const ecKid = keys[1]!.kid;
      expect([keys.length, keys[0]!.kid]).toEqual([2, kid]);
      const status = async (header: object, key: typeof ec.privateKey) => {
        const token = await new SignJWT(claims)
          .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', ...header })
          .sign(key);
        return outcome(await new Client(system.url, token).get('auth/sessions'))[1];
      };
      expect(await status({ alg: 'ES256', kid: ecKid }, ec.privateKey)).toBeNull();
      for (const [header, key] of [
        [{ kid }, stranger.privateKey],
        [{ kid: 'unknown' }, stranger.privateKey],
        [{}, stranger.privateKey],
        [{ kid: ecKid }, stranger.privateKey],
        [{ alg: 'ES256', kid }, ec.privateKey],
        [{ alg: 'ES256' }, ec.privateKey],
        [{ kid: '__proto__' }, stranger.privateKey],
        [{ kid, typ: 'JWT' }, stranger.privateKey],
        [{ kid, jku: `${system.url}/.well-known/jwks.json` }, stranger.privateKey],
        [{ kid, jwk: stranger.publicKey.export({ format: 'jwk' }) }, stranger.privateKey],
      ] as const)
        expect([header, await status(header, key)]).toEqual([header, 'UNAUTHENTICATED']);
    } finally {
      await system.stop();
    }
  });
});
