import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { io, type Socket } from 'socket.io-client';
import { codesOf, type OpenApiDocument, operationsOf } from '../../scripts/openapi/document.js';
import { createApi } from '../../src/bootstrap.js';
import { Builders, PASSWORD, type TestGame } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { joinPool } from '../support/members.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';
import { untilIs, withdraw } from '../support/withdrawals.js';

const WEEK = 202340;

describe('who has excluded themselves', () => {
  let system: System;
  let make: Builders;
  let admin: Client;
  let game: TestGame;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    admin = await make.admin();
    await make.week(WEEK, { group: false });
    await make.players(2, { pass: WEEK });
    await make.week(WEEK);
    await make.week(202341, { group: false });
    game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
  });
  afterAll(async () => system.stop());

  const exclude = async (client: Client) => await client.post('compliance/self-exclusion', { months: 6 });
  const codeOf = ({ status, error }: Answer) => [status, error?.code ?? null];

  async function member(): Promise<Client> {
    const [client] = (await make.players(1)) as [Client];
    await joinPool(system, WEEK, [client]);
    return client;
  }

  /** Every way to stake, to pay in, to buy and to speak to others: each way that is declared to refuse SELF_EXCLUDED stands here. */
  const WAYS: Record<string, (client: Client) => Promise<Answer>[]> = {
    'POST /api/v1/bets': (client) => [
      client.bet({ marketId: game.spread.id, outcome: 'home', stake: 10, oddsId: game.spread.odds['home'] }),
      client.bet({ marketId: game.total.id, outcome: 'over', stake: 1000, acceptOdds: 'any' }),
    ],
    'POST /api/v1/bets/quote': (client) => [
      client.post('bets/quote', { marketId: game.total.id, outcome: 'over', stake: 1000, acceptOdds: 'any' }),
    ],
    'POST /api/v1/payments/checkout': (client) =>
      ['deposit', 'week_pass', 'subscription', 'buy_back'].map((purpose) =>
        client.post(
          'payments/checkout',
          {
            purpose,
            currency: 'USD',
            provider: 'sandbox',
            ...(purpose === 'deposit' ? { amount: 2500 } : {}),
          },
          { key: randomUUID() },
        ),
      ),
    'POST /api/v1/wallet/deposits': (client) => [
      client.post(
        'wallet/deposits',
        { amount: 2500, currency: 'USD', provider: 'sandbox' },
        { key: randomUUID() },
      ),
    ],
    'POST /api/v1/contacts/request': (client) => [client.post('contacts/request', { userId: admin.userId })],
    'PUT /api/v1/contacts/{id}/accept': (client) => [client.call('PUT', `contacts/${randomUUID()}/accept`)],
    'POST /api/v1/users/{id}/follow': (client) => [client.post(`users/${admin.userId}/follow`)],
    'POST /api/v1/admin/users/{id}/pass': ({ userId }) =>
      ['week_pass', 'buy_back'].map((kind) =>
        admin.post(`admin/users/${userId}/pass`, { kind }, { key: randomUUID() }),
      ),
  };

  it('is named by every way to stake, to pay and to speak that there is', async () => {
    const document = (await (await fetch(`${system.url}/docs/openapi.json`)).json()) as OpenApiDocument;
    const declared = operationsOf(document).filter(({ operation }) =>
      [...codesOf(document, operation).values()].flat().includes('SELF_EXCLUDED'),
    );
    expect(declared.map(({ method, path }) => `${method.toUpperCase()} ${path}`).toSorted()).toEqual(
      Object.keys(WAYS).toSorted(),
    );
  });

  it.each(Object.keys(WAYS))('is refused by %s, which changes nothing', async (way) => {
    const client = await member();
    if (way.endsWith('/pass'))
      await system.db.query(
        `UPDATE pool_members SET balance = 0, adjustments = adjustments - 1000 WHERE user_id = $1`,
        [client.userId],
      );
    expect((await exclude(client)).status).toBe(201);
    await quiet();
    const before = await fingerprint(system);
    const answers = await Promise.all(WAYS[way]!(client));
    expect(answers.map(codeOf)).toEqual(answers.map(() => [403, 'SELF_EXCLUDED']));
    expect(await fingerprint(system)).toEqual(before);
  });

  /** What follows an exclusion is done. */
  async function quiet(): Promise<void> {
    await eventually(async () => (await system.db.query('SELECT 1 FROM outbox')).rowCount === 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }

  it('reads, withdraws, exports, signs in again and closes the account', async () => {
    const email = 'leaver@example.com';
    const account = {
      email,
      password: PASSWORD,
      handle: 'leaver',
      birthDate: '1990-01-01',
      termsVersion: '2026-11',
    };
    const registered = await admin.post('auth/register', account, { token: null });
    expect(codeOf(registered)).toEqual([201, null]);
    const { accessToken: token, user } = registered.data;
    const as = { token };
    await new Wallets(system).deposit(String(user.id), 10_000n);
    expect((await admin.post('compliance/self-exclusion', { permanent: true }, as)).status).toBe(201);
    for (const path of ['me', 'users/me', 'bets', 'wallet', 'weeks/current', 'compliance/status', 'payments'])
      expect([path, (await admin.get(path, as)).status]).toEqual([path, 200]);
    const login = await admin.post('auth/login', { email, password: PASSWORD }, { token: null });
    expect(login.status).toBe(200);
    const again = { token: login.data.accessToken as string };
    expect((await admin.get('compliance/status', again)).data.refusal).toBe('SELF_EXCLUDED');
    const money = await admin.post(
      'wallet/withdrawals',
      { amount: 5000, currency: 'USD', provider: 'sandbox', destination: 'sandbox:paid' },
      { ...again, key: randomUUID() },
    );
    expect(money.status).toBe(201);
    await untilIs(system, money.data.id, 'paid');
    expect((await admin.get('users/me/export', again)).status).toBeLessThan(300);
    const closed = await admin.call('DELETE', 'users/me', { body: { password: PASSWORD }, ...again });
    expect(closed.status).toBeLessThan(300);
  });

  describe('with sockets open', () => {
    let second: NestExpressApplication;
    let secondUrl: string;
    const open: Socket[] = [];

    beforeAll(async () => {
      second = await createApi(system.config);
      await second.listen(0, '127.0.0.1');
      secondUrl = `http://127.0.0.1:${(second.getHttpServer().address() as AddressInfo).port}`;
    });
    afterEach(() => {
      for (const socket of open.splice(0)) socket.close();
    });
    afterAll(async () => second.close());

    async function connected(url: string, { token }: Client): Promise<Socket> {
      const socket = io(`${url}/notifications`, {
        auth: { token },
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
      });
      open.push(socket);
      await eventually(async () => Promise.resolve(socket.connected));
      return socket;
    }

    it('loses them in every process within a second, and no one else does; new ones are refused', async () => {
      const [client, other] = (await make.players(2)) as [Client, Client];
      const sockets = [await connected(system.url, client), await connected(secondUrl, client)];
      const staying = await connected(secondUrl, other);
      const told: unknown[] = [];
      for (const socket of sockets) socket.on('session:ending', (payload) => told.push(payload));
      const began = performance.now();
      await exclude(client);
      await eventually(async () => Promise.resolve(sockets.every((socket) => !socket.connected)), 5000);
      expect(performance.now() - began).toBeLessThan(1000);
      expect(told).toEqual([{ reason: 'SELF_EXCLUDED' }, { reason: 'SELF_EXCLUDED' }]);
      expect(staying.connected).toBe(true);
      const socket = io(`${system.url}/notifications`, {
        auth: { token: client.token },
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
      });
      open.push(socket);
      const refused = await new Promise<Error & { data?: object }>((resolve) =>
        socket.once('connect_error', resolve),
      );
      expect(refused.data).toMatchObject({ code: 'SELF_EXCLUDED' });
      await new Wallets(system).deposit(client, 10_000n);
      expect((await withdraw(client)).status).toBe(201);
    });
  });
});
