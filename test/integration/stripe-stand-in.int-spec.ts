import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { newId } from '../../src/platform/database/ids.js';
import type { StripeProvider } from '../../src/modules/payments/providers/stripe/stripe.provider.js';
import { CONNECTED_ACCOUNT } from '../support/stripe-account.js';
import { type StripeDocument, stripeDocument, stripeResources } from '../support/stripe-document.js';
import { aCheckout, stripeProvider } from '../support/stripe-payments.js';
import { type StripeRequest, StripeServer } from '../support/stripe-server.js';

const BESIDE = resolve(import.meta.dirname, '../../../shared/data/specs/stripe');

type Headers = Record<string, string>;
interface Request {
  method: string;
  path: string;
  headers: Headers;
  body: string;
}
type Mistake = (request: Request) => void;

const field =
  (from: string | RegExp, to: string): Mistake =>
  (request) => {
    const form = decodeURIComponent(request.body);
    const wrong = form.replace(from, to);
    if (wrong === form) throw new Error(`${String(from)} is not in ${form}`);
    request.body = wrong;
  };
const header =
  (name: string, value: string | null): Mistake =>
  (request) => {
    const others = Object.entries(request.headers).filter(([each]) => each !== name);
    request.headers = Object.fromEntries(value === null ? others : [...others, [name, value]]);
  };
const path =
  (to: string): Mistake =>
  (request) => {
    request.path = to;
  };

/** What our client really sends is sent again with one mistake in it. */
describe('the stand-in for Stripe', () => {
  let stripe: StripeServer;
  let provider: StripeProvider;
  const real = {} as Record<'checkout' | 'monthly' | 'refund' | 'payout' | 'list', StripeRequest>;

  beforeAll(async () => {
    stripe = await new StripeServer().start();
    provider = stripeProvider(stripe);
    const { providerReference } = await provider.createCheckout(aCheckout());
    real.checkout = stripe.requests.at(-1)!;
    await provider.createCheckout(aCheckout({ purpose: 'subscription' }));
    real.monthly = stripe.requests.at(-1)!;
    stripe.account.pay(providerReference);
    const money = { amount: 500n, currency: 'USD' };
    await provider.refund({ refundId: newId(), providerReference, ...money });
    real.refund = stripe.requests.at(-1)!;
    await provider.payOut({ payoutId: newId(), destination: CONNECTED_ACCOUNT, description: 'x', ...money });
    real.payout = stripe.requests.at(-1)!;
    await provider.list(new Date(0), new Date())[Symbol.asyncIterator]().next();
    real.list = stripe.requests.find(({ path: asked }) => asked.startsWith('/v1/balance_transactions'))!;
  });
  afterAll(async () => stripe.stop());

  async function send(name: keyof typeof real, ...mistakes: Mistake[]) {
    const { method, path: asked, headers, form } = real[name];
    const { authorization, 'content-type': type, 'stripe-version': version } = headers as Headers;
    const own = { authorization: authorization!, 'content-type': type!, 'stripe-version': version! };
    const request = { method, path: asked, headers: { ...own, 'idempotency-key': newId() }, body: form };
    for (const mistake of mistakes) mistake(request);
    const response = await fetch(`${stripe.url}${request.path}`, {
      ...request,
      body: request.method === 'GET' ? null : request.body,
    });
    const body = (await response.json()) as { error?: { type: string; code?: string; message: string } };
    return { status: response.status, error: body.error };
  }

  it.each(['checkout', 'monthly', 'refund', 'payout', 'list'] as const)('takes our %s', async (name) => {
    expect(await send(name)).toEqual({ status: 200, error: undefined });
  });

  it.each<[string, keyof typeof real, Mistake, string]>([
    ['no idempotency key', 'checkout', header('idempotency-key', null), 'Idempotency-Key'],
    [
      'a key made up by the library',
      'payout',
      header('idempotency-key', 'stripe-node-retry-1'),
      'Idempotency-Key',
    ],
    ['no API key', 'checkout', header('authorization', 'Bearer '), 'API Key'],
    ['another API key', 'refund', header('authorization', 'Bearer sk_test_anotheranother'), 'API Key'],
    ['no version', 'checkout', header('stripe-version', ''), 'version'],
    ['JSON instead of a form', 'checkout', header('content-type', 'application/json'), 'form'],
    ['a path that is not', 'checkout', path('/v1/checkout/session'), 'Unrecognized'],
    ['a currency in capitals', 'checkout', field('=usd', '=USD'), 'currency'],
    ['an amount in dollars', 'checkout', field('unit_amount]=2500', 'unit_amount]=25.00'), 'integer'],
    ['an amount in dollars, whole', 'checkout', field('unit_amount]=2500', 'unit_amount]=25'), 'At least'],
    [
      'shillings without their 00',
      'checkout',
      field(
        'usd&line_items[0][price_data][unit_amount]=2500',
        'ugx&line_items[0][price_data][unit_amount]=50',
      ),
      'multiple of 100',
    ],
    [
      'fils to the last digit',
      'checkout',
      field(
        'usd&line_items[0][price_data][unit_amount]=2500',
        'kwd&line_items[0][price_data][unit_amount]=5124',
      ),
      'multiple of 10',
    ],
    ['no amount', 'checkout', field('&line_items[0][price_data][unit_amount]=2500', ''), 'price_data'],
    ['no currency', 'checkout', field('line_items[0][price_data][currency]=usd&', ''), 'currency'],
    ['no quantity', 'checkout', field('line_items[0][quantity]=1&', ''), 'quantity'],
    ['an unknown parameter', 'checkout', field('mode=', 'amount=2500&mode='), 'parameter_unknown: amount'],
    [
      'an unknown one deep inside',
      'checkout',
      field(
        '[product_data][name]=',
        '[product_data][title]=x&line_items[0][price_data][product_data][name]=',
      ),
      'parameter_unknown',
    ],
    ['no mode', 'checkout', field('mode=payment&', ''), 'mode'],
    ['an unknown mode', 'checkout', field('mode=payment', 'mode=pay'), 'mode'],
    ['nowhere to go back to', 'checkout', field(/&success_url=[^&]+/, ''), 'success_url'],
    ['half an address to go back to', 'checkout', field(/success_url=[^&]+/, 'success_url=/paid'), 'URL'],
    ['a recurring price paid once', 'monthly', field('mode=subscription', 'mode=payment'), 'recurring'],
    [
      'a single price paid monthly',
      'monthly',
      field('&line_items[0][price_data][recurring][interval]=month', ''),
      'recurring',
    ],
    ['an interval that is not', 'monthly', field('interval]=month', 'interval]=monthly'), 'interval'],
    [
      'an intent’s data in a subscription',
      'monthly',
      field(/subscription_data/g, 'payment_intent_data'),
      'payment_intent_data',
    ],
    [
      'a refund of a session',
      'refund',
      field(/payment_intent=pi_\w+/, 'payment_intent=cs_test_1'),
      'No such',
    ],
    [
      'a refund under the session’s name',
      'refund',
      field('payment_intent=', 'session='),
      'parameter_unknown',
    ],
    ['a refund of more than was paid', 'refund', field('amount=500', 'amount=50000'), 'greater'],
    ['a refund of a part of a cent', 'refund', field('amount=500', 'amount=5.5'), 'integer'],
    [
      'a transfer to a bank account',
      'payout',
      field(/destination=\w+/, 'destination=ba_1Pgc79B7WZ01zgkWoU5vBiXt'),
      'destination',
    ],
    ['a transfer to nobody', 'payout', field(/&destination=\w+/, ''), 'destination'],
    ['a transfer in no currency', 'payout', field('currency=usd&', ''), 'currency'],
    ['a transfer of nothing', 'payout', field('amount=500', 'amount=0'), 'multiple'],
    ['a list by a filter that is not', 'list', path('/v1/balance_transactions?since=0'), 'parameter_unknown'],
    ['a time that is none', 'list', path('/v1/balance_transactions?created[gte]=yesterday'), 'created'],
    [
      'a list of what cannot be expanded',
      'list',
      path('/v1/balance_transactions?expand[0]=data.session'),
      'expanded',
    ],
  ])('refuses %s', async (_, name, mistake, told) => {
    const { status, error } = await send(name, mistake);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(error?.message).toContain(told);
  });

  it('refuses one key for two requests, and answers one request under it again', async () => {
    const key = header('idempotency-key', newId());
    const before = stripe.account.all('checkout.session').length;
    expect(await send('checkout', key)).toMatchObject({ status: 200 });
    expect(await send('checkout', key)).toMatchObject({ status: 200 });
    expect(stripe.account.all('checkout.session').length - before).toBe(1);
    expect(await send('checkout', key, field('=2500', '=2600'))).toMatchObject({
      status: 400,
      error: { type: 'idempotency_error' },
    });
    stripe.forgetKeys(); // a day later
    expect(await send('checkout', key)).toMatchObject({ status: 200 });
    expect(stripe.account.all('checkout.session').length - before).toBe(2);
  });

  it('forgets the key of a request that was not valid', async () => {
    const key = header('idempotency-key', newId());
    expect(await send('checkout', key, field('mode=', 'mood='))).toMatchObject({ status: 400 });
    expect(await send('checkout', key)).toMatchObject({ status: 200 });
  });

  // The whole of it is not in the repository; where it lies beside it, what was cut out of it must be its own.
  const beside = existsSync(BESIDE) ? it : it.skip;
  beside('is held against a cutting that is unchanged', () => {
    const whole = parse(
      gunzipSync(readFileSync(resolve(BESIDE, 'spec3-2023-09-12.yaml.gz'))).toString('utf8'),
    ) as StripeDocument;
    expect(stripeDocument.info).toEqual(whole.info);
    for (const [name, methods] of Object.entries(stripeDocument.paths))
      for (const [method, operation] of Object.entries(methods))
        expect(whole.paths[name]![method]).toMatchObject(operation);
    const { resources } = JSON.parse(readFileSync(resolve(BESIDE, 'fixtures3.json'), 'utf8')) as {
      resources: Record<string, object>;
    };
    for (const [name, resource] of Object.entries(stripeResources)) expect(resources[name]).toEqual(resource);
  });
});
