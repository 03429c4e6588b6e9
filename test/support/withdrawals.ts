import { randomUUID } from 'node:crypto';
import type { WithdrawalRow } from '../../src/modules/payments/withdrawals/withdrawals.types.js';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import type { Answer, Client } from './client.js';
import { known } from './kyc.js';
import { eventually, type System } from './system.js';
import { Wallets } from './wallets.js';

/** Asks for money of the wallet, with a new key unless one is given. */
export async function withdraw(
  client: Client,
  over: object = {},
  key: string = randomUUID(),
): Promise<Answer> {
  const body = { amount: 5000, currency: 'USD', provider: 'sandbox', destination: 'sandbox:paid', ...over };
  return await client.post('wallet/withdrawals', body, { key });
}

/** Ids of withdrawals that wait for an operator, one of each player. */
export async function waitingWithdrawals(system: System, players: readonly Client[]): Promise<string[]> {
  const wallets = new Wallets(system);
  await known(system, ...players);
  return await Promise.all(
    players.map(async (player) => {
      await wallets.deposit(player, 300_000n);
      const { data } = await withdraw(player, { amount: 300_000 });
      return String(data.id);
    }),
  );
}

/** The row, once its state is one of these. */
export async function untilIs(system: System, id: string, ...states: string[]): Promise<WithdrawalRow> {
  return await eventually(async () => {
    const { rows } = await system.db.query<WithdrawalRow>('SELECT * FROM withdrawals WHERE id = $1', [id]);
    return rows.find(({ status }) => states.includes(status));
  });
}

/** Available and held money in dollars. */
export async function moneyOf(client: Client): Promise<[available: number, held: number]> {
  const { data } = await client.get('wallet');
  const found = data.balances.find(({ currency }: { currency: string }) => currency === 'USD');
  return [found?.available ?? 0, found?.held ?? 0];
}

/** What does not fit together: rules of the ledger that are broken, and withdrawals whose hold is not as they are. Always none. */
export async function brokenMoney(system: System): Promise<unknown[]> {
  const { rules } = await system.app.get(VerifyService, { strict: false }).verify(null);
  const { rows } = await system.db.query(`
    SELECT w.id, w.status, h.status AS hold, h.captured, h.released
    FROM withdrawals w LEFT JOIN ledger_holds h ON h.id = w.hold_id
    WHERE h.amount IS DISTINCT FROM w.amount OR h.user_id IS DISTINCT FROM w.user_id OR h.currency IS DISTINCT FROM w.currency
       OR (h.status = 'held') IS DISTINCT FROM (w.status IN ('requested', 'approved', 'paying'))
       OR (h.status = 'captured' AND h.captured = w.amount) IS DISTINCT FROM (w.status IN ('paid', 'returned'))
       OR (h.status = 'released' AND h.released = w.amount) IS DISTINCT FROM (w.status IN ('rejected', 'failed'))
       OR (w.status IN ('paid', 'returned') AND NOT EXISTS (SELECT FROM sandbox_payouts p
             WHERE p.merchant_reference = w.id::text AND p.status = 'paid' AND p.amount = w.amount))
       OR (w.status IN ('requested', 'approved', 'rejected', 'failed') AND EXISTS (SELECT FROM sandbox_payouts p
             WHERE p.merchant_reference = w.id::text AND p.status = 'paid'))`);
  return [...rules.filter(({ problems }) => problems.length > 0), ...rows];
}
