import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Builders } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { expireJobLocks, untilNothingIsLeft } from '../support/crash.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { onSandboxPage } from '../support/sandbox-page.js';
import { startSystem, type System } from '../support/system.js';
import { brokenMoney, moneyOf } from '../support/withdrawals.js';

const CLIENTS = 8;
/** In each run, of each process. */
const KILLS = 1;

const step = fc.record({
  what: fc.constantFrom('deposit', 'deposit', 'withdraw', 'withdraw', 'fail', 'again'),
  amount: fc.integer({ min: 1000, max: 3000 }),
  which: fc.nat(1000),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the rules may answer; whoever is told so has moved nothing. */
const REFUSALS = new Set(['INSUFFICIENT_FUNDS', 'TOO_MANY_OPEN_WITHDRAWALS', 'TOO_MANY_OPEN_PAYMENTS']);

interface Asked {
  readonly path: string;
  readonly body: object;
  readonly key: string;
  readonly data: { id?: string; paymentId?: string };
}

endProcessesAfterAll();

/**
 * The API and the worker are processes that are killed; the sandbox, another party, lives in the process of the test and stays.
 */
describe('money, while the processes that move it are killed', () => {
  let system: System;
  let make: Builders;
  let api: TestProcess;
  let worker: TestProcess;
  /** Requests whose process was killed before it answered. */
  let unanswered = 0;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    [api, worker] = await Promise.all([startProcess('api'), startProcess('worker')]);
  }, 60_000);
  afterAll(async () => {
    await system.stop();
  });

  const startProcess = async (entry: 'api' | 'worker') =>
    await (await TestProcess.start(entry, system.env)).ready();

  /** Somebody who deposits and withdraws, and asks again, under the same key, until there is an answer. */
  class Player {
    readonly asked: Asked[] = [];
    paidIn = 0;

    constructor(private readonly client: Client) {}

    async take({ what, amount, which }: Step): Promise<void> {
      const money = { amount, currency: 'USD', provider: 'sandbox' };
      switch (what) {
        case 'deposit': {
          const answer = await this.ask('wallet/deposits', money);
          if (answer === null) return;
          await onSandboxPage(answer.redirectUrl, { outcome: 'pay', delivery: 'at_once' });
          this.paidIn += amount;
          return;
        }
        case 'withdraw':
        case 'fail': {
          const destination = what === 'fail' ? 'sandbox:failed' : 'sandbox:paid';
          await this.ask('wallet/withdrawals', { ...money, destination });
          return;
        }
        case 'again': {
          const before = this.asked[which % Math.max(1, this.asked.length)];
          if (before === undefined) return;
          const { headers, data } = await this.answered(before.path, before.body, before.key);
          expect([data, headers.get('idempotent-replayed')]).toEqual([before.data, 'true']);
        }
      }
    }

    private async ask(path: string, body: object): Promise<{ redirectUrl: string } | null> {
      const key = randomUUID();
      const { status, data, error } = await this.answered(path, body, key);
      if (status !== 201) {
        if (!REFUSALS.has(error.code)) throw new Error(`${path} was answered ${status} ${error.code}`);
        return null;
      }
      this.asked.push({ path, body, key, data });
      return data;
    }

    private async answered(path: string, body: object, key: string): Promise<Answer> {
      for (;;) {
        try {
          const there = new Client(api.url, this.client.token);
          const answer = await there.post(path, body, { key });
          if (answer.status !== 503 && answer.error?.code !== 'IDEMPOTENCY_IN_PROGRESS') return answer;
        } catch (error) {
          const { code } = (error as { cause?: { code?: string } }).cause ?? {};
          if (code === undefined) throw error;
          if (code !== 'ECONNREFUSED') unanswered += 1;
        }
        await sleep(20);
      }
    }

    /** Nothing lost and nothing twice: what was answered is there, nothing else is, and the money is what that leaves. */
    async check(): Promise<void> {
      const { userId } = this.client;
      const idsOf = (path: string, name: 'id' | 'paymentId') =>
        this.asked
          .filter((one) => one.path === path)
          .map(({ data }) => String(data[name]))
          .toSorted();
      const stored = async (sql: string) => (await system.db.query(sql, [userId])).rows;
      const payments = await stored('SELECT id, status FROM payments WHERE user_id = $1 ORDER BY id');
      expect(payments.map(({ id }) => id)).toEqual(idsOf('wallet/deposits', 'paymentId'));
      expect(payments.filter(({ status }) => status !== 'succeeded')).toEqual([]);
      const withdrawals = await stored('SELECT id, status FROM withdrawals WHERE user_id = $1 ORDER BY id');
      expect(withdrawals.map(({ id }) => id)).toEqual(idsOf('wallet/withdrawals', 'id'));
      const [paid] = await stored(
        "SELECT coalesce(sum(amount), 0)::int AS out FROM withdrawals WHERE user_id = $1 AND status = 'paid'",
      );
      expect(await moneyOf(this.client)).toEqual([this.paidIn - Number(paid?.out), 0]);
    }
  }

  /** Each at no special moment of its own. */
  async function killProcesses(): Promise<void> {
    const killApi = async () => {
      await sleep(200 + Math.random() * 800);
      await api.kill('SIGKILL');
      api = await startProcess('api');
    };
    const killWorker = async () => {
      await sleep(200 + Math.random() * 800);
      await worker.kill('SIGKILL');
      await expireJobLocks(system);
      worker = await startProcess('worker');
    };
    for (let n = 0; n < KILLS; n += 1) {
      await Promise.all([killApi(), killWorker()]);
      // What a request was doing when it died is another's after a while.
      await system.moveTo(new Date(system.now().getTime() + 60_000));
    }
  }

  async function left(): Promise<Record<string, number>> {
    const { rows } = await system.db.query(`
      SELECT (SELECT count(*)::int FROM withdrawals WHERE status IN ('requested', 'approved', 'paying')) AS withdrawals,
             (SELECT count(*)::int FROM payments WHERE status IN ('created', 'pending')) AS payments,
             (SELECT count(*)::int FROM provider_events WHERE applied_at IS NULL) AS events,
             (SELECT count(*)::int FROM outbox) AS outbox`);
    return rows[0];
  }

  it('is there once for whoever was answered, whatever they asked for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 10, maxLength: 20 }), {
          minLength: CLIENTS,
          maxLength: CLIENTS,
        }),
        async (sequences) => {
          const players = (await make.players(CLIENTS)).map((client) => new Player(client));
          const over = new AbortController();
          await Promise.all([
            killProcesses().finally(() => over.abort()),
            ...players.map(async (player, n) => {
              do for (const one of sequences[n]!) await player.take(one);
              while (!over.signal.aborted);
            }),
          ]);
          await untilNothingIsLeft(left);
          for (const player of players) await player.check();
          expect(await brokenMoney(system)).toEqual([]);
        },
      ),
      { numRuns: 2, endOnFailure: true }, // chance has a part in it: a failure is told as it was found
    );
    expect(unanswered).toBeGreaterThan(0);
  }, 60_000);
});
