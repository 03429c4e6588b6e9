import { randomUUID } from 'node:crypto';
import type { WithdrawalDto } from '../../src/modules/payments/withdrawals/dto/withdrawals.dto.js';
import type { LedgerReportDto, LedgerVerificationDto } from '../../src/modules/wallet/dto/verify.dto.js';
import type { CheckedWeek } from './check.js';
import { inParallel } from './meter.js';
import { availableTo, CURRENCY } from './paying.js';
import type { Player } from './players.js';
import { CONCURRENCY, type DrawnWeek } from './sign-up.js';
import { eventually, type Stage } from './stage.js';

export interface Paid {
  readonly times: number;
  readonly amount: number;
}

/** Amounts are minor units. */
export interface CheckedMoney {
  readonly passes: Paid;
  readonly buyBacks: Paid;
  readonly prizes: number;
  readonly wallets: number;
  readonly withdrawal: { readonly handle: string; readonly amount: number; readonly status: string };
  readonly ledger: LedgerReportDto;
}

/**
 * Holds the wallets against the prizes, has one of the winners withdraw what they won, and asks for the ledger's proof. What does
 * not fit is a fault.
 */
export async function checkMoney(
  stage: Stage,
  { players }: DrawnWeek,
  { prizes }: CheckedWeek,
): Promise<CheckedMoney> {
  const { records } = stage;
  const won = new Map<string, number>();
  for (const { userId, amount } of [...prizes.values()].flat())
    won.set(userId, (won.get(userId) ?? 0) + amount);
  const holdings = new Map<Player, number>();
  await inParallel(players, CONCURRENCY, async (player) => {
    const available = await availableTo(player);
    const prize = won.get(player.client.userId) ?? 0;
    if (available !== prize) records.faults.push(`${player.handle} won ${prize} and has ${available}`);
    holdings.set(player, available);
  });
  const withdrawal = await withdraw(stage, holdings);
  const ledger = await prove(stage);
  for (const { rule, problems } of ledger.rules)
    for (const { subject, problem } of problems)
      records.faults.push(`ledger: ${rule}: ${subject}: ${problem}`);
  return {
    passes: paidFor(stage, 'week_pass'),
    buyBacks: paidFor(stage, 'buy_back'),
    prizes: sum([...won.values()]),
    wallets: sum([...holdings.values()]),
    withdrawal,
    ledger,
  };
}

/** The ledger's proof, which the worker makes. */
async function prove({ admin, lifetime }: Stage): Promise<LedgerReportDto> {
  const { id } = await admin.ask<LedgerVerificationDto>('POST', 'admin/ledger/verify');
  return await eventually(lifetime, "The ledger's proof", async () => {
    const { report } = await admin.ask<LedgerVerificationDto>('GET', `admin/ledger/verifications/${id}`);
    return report;
  });
}

/** The richest takes their money home. */
async function withdraw(
  stage: Stage,
  holdings: ReadonlyMap<Player, number>,
): Promise<CheckedMoney['withdrawal']> {
  const { records, lifetime, screen, clock } = stage;
  const [richest] = [...holdings].toSorted(([, a], [, b]) => b - a);
  if (richest === undefined || richest[1] === 0)
    return { handle: 'nobody', amount: 0, status: 'nobody has won' };
  const [player, amount] = richest;
  const { client, handle } = player;
  await client.prove();
  const { id } = await client.ask<WithdrawalDto>('POST', 'wallet/withdrawals', {
    body: { amount, currency: CURRENCY, provider: 'sandbox', destination: 'sandbox:paid' },
    key: randomUUID(),
  });
  const { status } = await eventually(lifetime, `The withdrawal of ${handle}`, async () => {
    const all = await client.ask<WithdrawalDto[]>('GET', 'wallet/withdrawals');
    const mine = all.find((one) => one.id === id);
    return mine && ['paid', 'failed', 'rejected'].includes(mine.status) ? mine : null;
  });
  const left = await availableTo(player);
  if (status !== 'paid' || left !== 0)
    records.faults.push(`${handle} withdrew ${amount}: ${status}, ${left} left`);
  screen.line(`${clock.text()}  ${handle} withdraws what they won`);
  return { handle, amount, status };
}

function paidFor({ records }: Stage, purpose: string): Paid {
  const payments = [...records.payments.values()].filter((payment) => payment.purpose === purpose);
  return { times: payments.length, amount: sum(payments.map(({ amount }) => amount.amount)) };
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
