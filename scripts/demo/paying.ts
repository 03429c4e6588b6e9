import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckoutDto, PaymentDto } from '../../src/modules/payments/dto/payments.dto.js';
import type { WalletDto } from '../../src/modules/wallet/dto/wallet.dto.js';
import type { Player } from './players.js';
import { eventually, type Stage } from './stage.js';

export const CURRENCY = 'USD';
/** People who pay at a time: most of it is waiting for the provider's word. */
export const PAYING = 64;
const POLL_MS = 100;
/** How often a card is declined at the first try, and how often the provider tells us twice. */
const DECLINED = 0.05;
const TOLD_TWICE = 0.1;

/** Buys something as a person does in a browser: the provider's page, its buttons, and back to the shop. */
export async function buy(
  stage: Stage,
  { client, chance, handle }: Player,
  purpose: 'week_pass' | 'buy_back',
): Promise<PaymentDto> {
  const begin = async (): Promise<CheckoutDto> =>
    await client.ask<CheckoutDto>('POST', 'payments/checkout', {
      body: { purpose, currency: CURRENCY, provider: 'sandbox' },
      key: randomUUID(),
    });
  const ended = async (id: string, ...states: string[]): Promise<PaymentDto> =>
    await eventually(stage.lifetime, `The payment of ${handle}`, async () => {
      const payment = await client.ask<PaymentDto>('GET', `payments/${id}`);
      if (states.includes(payment.status)) return payment;
      await sleep(POLL_MS);
      return null;
    });
  if (chance.happens(DECLINED)) {
    const { paymentId, redirectUrl } = await begin();
    await choose(redirectUrl, { outcome: 'decline' });
    await ended(paymentId, 'failed');
    stage.records.declined += 1;
  }
  const { paymentId, redirectUrl } = await begin();
  const delivery = chance.happens(TOLD_TWICE) ? 'twice' : 'at_once';
  await choose(redirectUrl, { outcome: 'pay', delivery });
  const payment = await ended(paymentId, 'succeeded', 'refunded');
  stage.records.payment(payment);
  return payment;
}

/** Reads the page, presses one of its buttons, and is led back to the shop. Throws when any of that is not to be had. */
async function choose(url: string | null, choice: { outcome: string; delivery?: string }): Promise<void> {
  if (url === null) throw new Error('a checkout of the sandbox leads to no page');
  const page = await fetch(url);
  const html = await page.text();
  const form = /<form method="post">([^]*?)<\/form>/.exec(html)?.[1] ?? '';
  for (const [name, value] of Object.entries(choice))
    if (!form.includes(`name="${name}" value="${value}"`))
      throw new Error(`the page at ${url} (${page.status}) offers no ${name} "${value}"`);
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(choice), redirect: 'manual' });
  await answer.body?.cancel();
  if (answer.status !== 303 || !answer.headers.get('location')?.includes('/payments/'))
    throw new Error(`the page at ${url} answered ${answer.status} and led nowhere`);
}

/** What the player can spend, in minor units. */
export async function availableTo({ client }: Player): Promise<number> {
  const { balances } = await client.ask<WalletDto>('GET', 'wallet');
  return balances.find(({ currency }) => currency === CURRENCY)?.available ?? 0;
}
