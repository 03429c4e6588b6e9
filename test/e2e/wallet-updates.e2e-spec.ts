import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Socket } from 'socket.io-client';
import { createApi } from '../../src/bootstrap.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { listen } from '../support/listening.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

interface Update {
  balances: object[];
  asOf: string;
}

describe('wallet:updated', () => {
  let system: System;
  let second: NestExpressApplication;
  let urls: string[];
  let make: Builders;
  let money: Wallets;
  const open: Socket[] = [];

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    second = await createApi(system.config);
    await second.listen(0, '127.0.0.1');
    urls = [system.url, `http://127.0.0.1:${(second.getHttpServer().address() as AddressInfo).port}`];
    make = new Builders(system);
    money = new Wallets(system);
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });
  afterAll(async () => {
    await second.close();
    await system.stop();
  });

  const hears = async (client: Client) => await listen<Update>(urls, client, 'wallet:updated', open);

  it('is told to whom the money is, on every socket, with what they have now', async () => {
    const [ada, bob, eve] = (await make.players(3)) as [Client, Client, Client];
    await money.deposit(ada, 1000n);
    const [toAda, toBob, toEve] = [await hears(ada), await hears(bob), await hears(eve)];
    const usd = (available: number, held = 0) => [{ currency: 'USD', available, held, pending: 0 }];
    const last = async (updates: Update[][], balances: object[]) =>
      eventually(async () =>
        Promise.resolve(
          updates.every((told) => JSON.stringify(told.at(-1)?.balances) === JSON.stringify(balances)),
        ),
      );
    await money.move(money.available(ada), money.available(bob), 300n);
    await last(toAda, usd(700));
    await last(toBob, usd(300));
    const holdId = await money.hold(bob, 200n);
    await last(toBob, usd(100, 200));
    await money.capture(holdId, 50n, money.available(ada), true);
    await last(toBob, usd(250));
    await last(toAda, usd(750));
    expect(toEve).toEqual([[], []]);
    for (const { asOf } of toBob.flat())
      expect(Math.abs(Date.parse(asOf) - system.now().getTime())).toBeLessThan(60_000);
  });
});
