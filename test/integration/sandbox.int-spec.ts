import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { PaymentProviders } from '../../src/modules/payments/payment-providers.js';
import type { PaymentProvider, WebhookRequest } from '../../src/modules/payments/provider.js';
import type { DomainError } from '../../src/platform/http/domain-error.js';
import { Builders } from '../support/builders.js';
import { onSandboxPage } from '../support/sandbox-page.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { withdraw } from '../support/withdrawals.js';

const RETURN_URL = 'https://shop.example.com/paid?order=1';

/** The adapter, the sandbox behind HTTP, and a shop that hears its webhooks. */
describe('the sandbox', () => {
  let system: System;
  let provider: PaymentProvider;
  let shop: Server;
  const calls = globalThis.fetch;
  let heard: WebhookRequest[];
  /** What the shop answers to what says this, one after the other; to all else 200. */
  let answers: { to: string; with: number[] } | null;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    provider = system.app.get(PaymentProviders, { strict: false }).get('sandbox');
    shop = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const rawBody = Buffer.concat(chunks);
        heard.push({ rawBody, headers: request.headers });
        const isAbout = answers !== null && rawBody.toString().includes(answers.to);
        response.writeHead((isAbout && answers?.with.shift()) || 200).end();
      });
    });
    await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    globalThis.fetch = calls;
    shop.close();
    await system.stop();
  });

  beforeEach(() => {
    heard = [];
    answers = null;
    // Only the worker sends webhooks; the adapter's own calls go on reaching the API.
    divert(`http://127.0.0.1:${(shop.address() as AddressInfo).port}`);
  });

  /** What the sandbox sends to the API's own address goes to the shop: the same request, over HTTP. */
  function divert(to: string): void {
    globalThis.fetch = (async (input: string, init?: RequestInit) =>
      await calls(
        input.endsWith('/payments/webhooks/sandbox') ? input.replace(system.url, to) : input,
        init,
      )) as typeof fetch;
  }

  const order = (over: object = {}) => ({
    paymentId: v7(),
    purpose: 'deposit' as const,
    description: 'Deposit',
    amount: 1050n,
    currency: 'USD',
    returnUrl: RETURN_URL,
    payerPhone: null,
    ...over,
  });
  const later = (ms: number) => system.moveTo(new Date(system.now().getTime() + ms));
  /** What was heard that says this: other tests' subscriptions and payouts go on. */
  const saying = (text: string) => heard.filter(({ rawBody }) => rawBody.toString().includes(text));
  const events = async (text = '"id":') =>
    await Promise.all(saying(text).map((request) => provider.parseWebhook(request)));
  const heardOf = (n: number, text = '"id":') =>
    eventually(async () => Promise.resolve(saying(text).length >= n && saying(text)));

  it('makes one checkout a payment, however often it is asked, and at once', async () => {
    const asked = order();
    const made = await Promise.all(Array.from({ length: 50 }, () => provider.createCheckout(asked)));
    expect(new Set(made.map(({ providerReference }) => providerReference)).size).toBe(1);
    expect(made[0]).toMatchObject({ status: 'pending', paid: null, failureCode: null });
    expect(made[0]!.redirectUrl).toBe(`${system.url}/sandbox/pay/${made[0]!.providerReference}`);
    const other = await provider.createCheckout({ ...asked, amount: 1051n });
    expect(other).toMatchObject({ status: 'failed', failureCode: 'refused_422', redirectUrl: null });
    expect(await provider.fetchState({ paymentId: asked.paymentId, providerReference: null })).toEqual(
      await provider.fetchState({
        paymentId: 'whatever',
        providerReference: made[0]!.providerReference,
      }),
    );
    expect(await provider.fetchState({ paymentId: v7(), providerReference: null })).toBeNull();
  });

  it('takes a payment on its page, sends the payer back and tells the shop, signed', async () => {
    const asked = order();
    const { redirectUrl, providerReference } = await provider.createCheckout(asked);
    const back = await onSandboxPage(redirectUrl!, { outcome: 'pay' });
    expect(back).toEqual({ status: 303, location: RETURN_URL });
    await heardOf(1);
    const state = {
      providerReference,
      status: 'succeeded',
      paid: { amount: 1050n, currency: 'USD' },
      failureCode: null,
      subscriptionReference: null,
    };
    expect(await events()).toEqual([
      {
        eventId: expect.stringMatching(/^sbx_ev_/),
        type: 'payment.succeeded',
        about: 'payment',
        providerReference,
        ourId: asked.paymentId,
        state,
      },
    ]);
    expect(await provider.fetchState({ paymentId: asked.paymentId, providerReference })).toEqual(state);
  });

  it('is paid once, whatever is chosen afterwards or at the same time', async () => {
    const { redirectUrl } = await provider.createCheckout(order());
    const choices = ['pay', 'pay', 'decline', 'abandon', 'pay', 'decline_then_pay'];
    const backs = await Promise.all(choices.map((outcome) => onSandboxPage(redirectUrl!, { outcome })));
    expect(backs).toEqual(choices.map(() => ({ status: 303, location: RETURN_URL })));
    await heardOf(1);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(heard.length).toBeLessThan(3); // one end, or declined and then paid
    const { rows } = await system.db.query(
      "SELECT count(*)::int AS n FROM sandbox_events WHERE body LIKE '%' || $1 || '%' AND type = 'payment.succeeded'",
      [redirectUrl!.split('/').at(-1)],
    );
    expect(rows[0].n).toBeLessThan(2);
  });

  it.each([
    ['decline', 'payment.failed', 'failed', 'card_declined'],
    ['abandon', 'payment.cancelled', 'cancelled', null],
  ])('tells of who chose to %s', async (outcome, type, status, failureCode) => {
    const { redirectUrl } = await provider.createCheckout(order());
    await onSandboxPage(redirectUrl!, { outcome });
    await heardOf(1);
    expect(await events()).toMatchObject([{ type, state: { status, failureCode, paid: null } }]);
  });

  it('sends late, and the same event twice, when it is asked to', async () => {
    const [late, twice] = [await provider.createCheckout(order()), await provider.createCheckout(order())];
    await onSandboxPage(twice.redirectUrl!, { outcome: 'pay', delivery: 'twice' });
    await onSandboxPage(late.redirectUrl!, { outcome: 'pay', delivery: 'late' });
    await heardOf(2);
    expect((await events()).map(({ providerReference }) => providerReference)).toEqual([
      twice.providerReference,
      twice.providerReference,
    ]);
    expect(new Set((await events()).map(({ eventId }) => eventId)).size).toBe(1);
    heard = [];
    await later(31_000);
    await heardOf(1);
    expect(await events()).toMatchObject([{ providerReference: late.providerReference }]);
  });

  it('sends what came first last, when it is asked to', async () => {
    const { redirectUrl } = await provider.createCheckout(order());
    await onSandboxPage(redirectUrl!, { outcome: 'pay', delivery: 'out_of_order' });
    await heardOf(1);
    await later(6000);
    await heardOf(2);
    expect((await events()).map(({ type, state }) => [type, state?.status])).toEqual([
      ['payment.succeeded', 'succeeded'],
      ['payment.processing', 'pending'],
    ]);
  });

  it('is paid after it was declined, as real providers are', async () => {
    const { redirectUrl, providerReference } = await provider.createCheckout(order());
    await onSandboxPage(redirectUrl!, { outcome: 'decline_then_pay' });
    await heardOf(1);
    await later(11_000);
    await heardOf(2);
    expect((await events()).map(({ state }) => state?.status)).toEqual(['failed', 'succeeded']);
    const state = await provider.fetchState({ paymentId: '', providerReference });
    expect(state?.status).toBe('succeeded');
  });

  it('expires when nobody comes', async () => {
    const { providerReference } = await provider.createCheckout(order());
    await later(31 * 60_000);
    await heardOf(1);
    expect((await events()).map(({ type }) => type)).toContain('payment.expired');
    expect((await provider.fetchState({ paymentId: '', providerReference }))?.status).toBe('expired');
  });

  it('tries again until it is heard, with a signature of that time', async () => {
    const { redirectUrl, providerReference } = await provider.createCheckout(order());
    answers = { to: providerReference, with: [500, 503, 200] };
    await onSandboxPage(redirectUrl!, { outcome: 'pay' });
    const told = await heardOf(3, providerReference);
    expect(new Set(told.map(({ rawBody }) => rawBody.toString())).size).toBe(1);
    const { rows } = await eventually(async () => {
      const found = await system.db.query(
        'SELECT 1 FROM sandbox_events WHERE body = $1 AND delivered_at IS NOT NULL',
        [told[0]!.rawBody.toString()],
      );
      return found.rows.length > 0 && found;
    });
    expect(rows).toHaveLength(1);
  });

  describe('is believed', () => {
    let genuine: WebhookRequest;

    beforeEach(async () => {
      const { redirectUrl } = await provider.createCheckout(order());
      await onSandboxPage(redirectUrl!, { outcome: 'pay' });
      [genuine] = (await heardOf(1)) as [WebhookRequest];
    });

    const codeOf = async (request: WebhookRequest) =>
      await (async () => provider.parseWebhook(request))().then(
        () => 'believed',
        (error: unknown) => (error as DomainError).code,
      );
    const signed = (header: string) => ({ ...genuine, headers: { 'sandbox-signature': header } });

    it('only with its own signature over the body as it came', async () => {
      expect(await codeOf(genuine)).toBe('believed');
      const header = String(genuine.headers['sandbox-signature']);
      const [, time, mac] = /^t=(\d+),v1=(\w+)$/.exec(header)!;
      const flipped = `${mac!.slice(0, -1)}${mac!.endsWith('0') ? '1' : '0'}`;
      const forged: WebhookRequest[] = [
        { ...genuine, headers: {} },
        { ...genuine, rawBody: Buffer.from(genuine.rawBody.toString().replace('1050', '1051')) },
        { ...genuine, rawBody: Buffer.concat([genuine.rawBody, Buffer.from(' ')]) },
        signed(`t=${time},v1=${flipped}`),
        signed(`t=${Number(time) + 1},v1=${mac}`),
        signed(`t=${time},v1=`),
        signed(`v1=${mac}`),
        signed(`t=${time},v1=${mac}00`),
        { ...genuine, headers: { 'sandbox-signature': [header, header] } },
      ];
      for (const request of forged) expect(await codeOf(request)).toBe('WEBHOOK_SIGNATURE_INVALID');
    });

    it('for five minutes, before and after', async () => {
      await later(4 * 60_000);
      expect(await codeOf(genuine)).toBe('believed');
      await later(2 * 60_000);
      expect(await codeOf(genuine)).toBe('WEBHOOK_SIGNATURE_INVALID');
      await later(7 * 86_400_000);
      expect(await codeOf(genuine)).toBe('WEBHOOK_SIGNATURE_INVALID');
    });
  });

  it('gives back what was paid, once an order and never more', async () => {
    const { redirectUrl, providerReference } = await provider.createCheckout(order());
    const refund = (refundId: string, amount: bigint, currency = 'USD') =>
      provider.refund({ refundId, providerReference, amount, currency });
    expect((await refund(v7(), 1n)).status).toBe('failed'); // nothing was paid yet
    await onSandboxPage(redirectUrl!, { outcome: 'pay' });
    const id = v7();
    const states = await Promise.all(Array.from({ length: 20 }, () => refund(id, 1000n)));
    expect(new Set(states.map((state) => state.providerReference)).size).toBe(1);
    expect(states[0]).toMatchObject({ status: 'succeeded', paid: { amount: 1000n, currency: 'USD' } });
    expect(await provider.fetchRefund({ refundId: id, providerReference: null })).toEqual(states[0]);
    expect((await refund(v7(), 51n)).status).toBe('failed');
    expect((await refund(v7(), 50n, 'EUR')).status).toBe('failed');
    const halves = await Promise.all(Array.from({ length: 5 }, () => refund(v7(), 25n)));
    expect(halves.filter(({ status }) => status === 'succeeded')).toHaveLength(2);
    const { rows } = await system.db.query('SELECT refunded FROM sandbox_checkouts WHERE id = $1', [
      providerReference,
    ]);
    expect(rows[0].refunded).toBe('1050');
    expect(await provider.fetchRefund({ refundId: v7(), providerReference: null })).toBeNull();
  });

  it('pays out as its destinations say, once an order', async () => {
    const payOut = (destination: string, payoutId = v7()) =>
      provider.payOut({ payoutId, amount: 500n, currency: 'XAF', destination, description: 'Withdrawal' });
    const fetched = (payoutId: string) => provider.fetchPayout({ payoutId, providerReference: null });
    const id = v7();
    const states = await Promise.all(Array.from({ length: 20 }, () => payOut('sandbox:paid', id)));
    expect(new Set(states.map((state) => state.providerReference)).size).toBe(1);
    expect(states[0]).toMatchObject({ status: 'succeeded', paid: { amount: 500n, currency: 'XAF' } });
    expect(await payOut('sandbox:failed')).toMatchObject({ status: 'failed', failureCode: 'account_closed' });

    const lost = v7();
    await expect(payOut('sandbox:lost_paid', lost)).rejects.toThrow('503');
    expect((await fetched(lost))?.status).toBe('succeeded');
    const never = v7();
    await expect(payOut('sandbox:outage', never)).rejects.toThrow('503');
    expect(await fetched(never)).toBeNull();

    const [usual, failing] = [v7(), v7()];
    expect((await payOut('+237600000000', usual)).status).toBe('pending');
    expect((await payOut('sandbox:pending_failed', failing)).status).toBe('pending');
    await heardOf(2, '"payout.');
    const told = (await events('"payout.')).map(({ about, ourId, state }) => [about, ourId, state?.status]);
    expect(told).toEqual(
      expect.arrayContaining([
        ['payout', usual, 'succeeded'],
        ['payout', failing, 'failed'],
      ]),
    );
    expect((await fetched(failing))?.failureCode).toBe('account_closed');
  });

  it('renews a subscription each month until it is cancelled, and it ends with the period', async () => {
    const { redirectUrl } = await provider.createCheckout(order({ purpose: 'subscription' }));
    await onSandboxPage(redirectUrl!, { outcome: 'pay' });
    await heardOf(1);
    const [first] = await events();
    const reference = first!.state!.subscriptionReference!;
    const periodEnd = first!.state!.periodEnd!;
    heard = [];
    await system.moveTo(new Date(periodEnd.getTime() + 1000));
    await heardOf(1, reference);
    const [renewed] = await events(reference);
    expect(renewed).toMatchObject({
      about: 'subscription',
      change: { kind: 'renewed', subscriptionReference: reference, paid: { amount: 1050n, currency: 'USD' } },
    });
    const charged = await provider.fetchState({
      paymentId: '',
      providerReference: renewed!.providerReference,
    });
    expect(charged).toMatchObject({ status: 'succeeded', subscriptionReference: reference });
    await provider.cancelSubscription(reference);
    await provider.cancelSubscription(reference);
    heard = [];
    const { change } = renewed!;
    const end = change && 'periodEnd' in change ? change.periodEnd! : null;
    await system.moveTo(new Date(end!.getTime() + 1000));
    await heardOf(1, reference);
    expect((await events(reference)).map(({ change: changed }) => changed?.kind)).toEqual(['cancelled']);
  });

  it('tells of renewals that fail, three days in a row, and then of the end', async () => {
    const { redirectUrl } = await provider.createCheckout(order({ purpose: 'subscription' }));
    await onSandboxPage(redirectUrl!, { outcome: 'pay', renewals: 'fail' });
    await heardOf(1);
    const [first] = await events();
    const reference = first!.state!.subscriptionReference!;
    heard = [];
    for (const day of [0, 1, 2]) {
      await system.moveTo(new Date(first!.state!.periodEnd!.getTime() + day * 86_400_000 + 1000));
      await heardOf(day === 2 ? 4 : day + 1, reference);
    }
    const kinds = saying(reference).map(
      ({ rawBody }) => (JSON.parse(rawBody.toString()) as { type: string }).type,
    );
    expect(kinds.toSorted()).toEqual([
      'subscription.cancelled',
      ...Array(3).fill('subscription.renewal_failed'),
    ]);
  });

  it('lists all that was paid in a time, page by page, and nothing else', async () => {
    await later(86_400_000);
    const from = system.now();
    const made = await Promise.all(Array.from({ length: 103 }, () => provider.createCheckout(order())));
    await provider.createCheckout(order());
    await Promise.all(made.map(({ redirectUrl }) => onSandboxPage(redirectUrl!, { outcome: 'pay' })));
    await later(1000);
    const listed: string[] = [];
    for await (const one of provider.list(from, system.now())!) {
      expect(one.status).toBe('succeeded');
      listed.push(one.providerReference);
    }
    expect(listed.toSorted()).toEqual(made.map(({ providerReference }) => providerReference).toSorted());
    const none = [];
    for await (const one of provider.list(new Date(from.getTime() - 3000), from)!) none.push(one);
    expect(none).toEqual([]);
  });

  it('answers nobody without its key, and shows no page of what is not there', async () => {
    const ask = (path: string, headers: Record<string, string> = {}) =>
      calls(`${system.url}/sandbox/${path}`, { headers });
    for (const authorization of ['', 'Bearer ', `Bearer ${'x'.repeat(43)}`])
      expect((await ask('v1/checkouts?merchantReference=a', { authorization })).status).toBe(401);
    expect((await ask('pay/sbx_co_none')).status).toBe(404);
    expect((await ask('pay/..%2f..%2f')).status).toBe(400);
  });

  it('has a page that runs nothing, and names what is paid in the currency’s own digits', async () => {
    const page = async (over: object) => {
      const { redirectUrl } = await provider.createCheckout(order(over));
      const answer = await calls(redirectUrl!);
      return { policy: answer.headers.get('content-security-policy'), text: await answer.text() };
    };
    const { policy, text } = await page({ description: '<script>alert(1)</script>"&' });
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; form-action 'self' https:\/\/shop\.example\.com; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(text).not.toContain('<script');
    expect(text).toContain('10.50 USD');
    expect((await page({ currency: 'XAF' })).text).toContain('1050 XAF');
    expect((await page({ currency: 'KWD' })).text).toContain('1.050 KWD');
    const { redirectUrl } = await provider.createCheckout(order());
    const wrong = await onSandboxPage(redirectUrl!, { outcome: 'steal' });
    expect(wrong.status).toBe(400);
  });
});

describe('the sandbox, switched off', () => {
  it('is no provider, has no page and no work', async () => {
    const system = await startSystem({ env: { PAYMENTS_SANDBOX: 'off' } });
    try {
      expect(system.app.get(PaymentProviders, { strict: false }).has('sandbox')).toBe(false);
      for (const path of ['pay/sbx_co_none', 'v1/checkouts?merchantReference=a'])
        expect((await fetch(`${system.url}/sandbox/${path}`)).status).toBe(404);
      const [client] = await new Builders(system).players(1);
      const { status, error } = await withdraw(client!);
      expect([status, error.code]).toEqual([422, 'PAYMENT_PROVIDER_UNKNOWN']);
    } finally {
      await system.stop();
    }
  });
});
