import type pg from 'pg';
import { v7 } from 'uuid';
import type { AccountRef } from '../../src/modules/wallet/ledger.types.js';
import { GroupedCalls } from '../../src/platform/database/grouped-calls.js';

/** A transfer of `amount` minor units between two accounts of USD, in the order in which the ledger locks them. */
export interface PairOrder {
  readonly from: AccountRef;
  readonly to: AccountRef;
  readonly amount: bigint;
}

const HASH = Buffer.alloc(32, 7);
const POST_PAIR = 'SELECT ledger_post_pair($1, $2, $3, $4, $5, $6, $7, $8, $9) AS transfer_id';
const POST_PAIRS = 'SELECT ledger_post_pairs($1, $2, $3, $4, $5, $6, $7, $8, $9) AS transfers';

/** The product's function for one transfer, called alone as the floors are: what its caller makes of a posting is ready. */
export async function postAlone(pool: pg.Pool, { from, to, amount }: PairOrder): Promise<string> {
  const values = [`bench:${v7()}`, HASH, 'payment', from.kind, from.owner, to.kind, to.owner, 'USD', amount];
  const { rows } = await pool.query<{ transfer_id: string | null }>({
    name: 'post alone',
    text: POST_PAIR,
    values,
  });
  const transferId = rows[0]?.transfer_id;
  if (!transferId) throw new Error('a transfer was not posted');
  return transferId;
}

/**
 * The product's function for the transfers of many clients, asked as the product asks it: those that come at the same time are one
 * call, and what a group could not have at once is posted alone.
 */
export function groupsOf(pool: pg.Pool): GroupedCalls<PairOrder, string> {
  return new GroupedCalls<PairOrder, string>({
    call: async (orders) => await postGroup(pool, orders),
    alone: async (order) => await postAlone(pool, order),
  });
}

async function postGroup(pool: pg.Pool, orders: readonly PairOrder[]): Promise<(string | null)[]> {
  const { rows } = await pool.query<{ transfers: (string | null)[] }>({
    name: 'post pairs',
    text: POST_PAIRS,
    values: [
      orders.map(() => `bench:${v7()}`),
      orders.map(() => HASH),
      orders.map(() => 'payment'),
      orders.map(({ from }) => from.kind),
      orders.map(({ from }) => from.owner),
      orders.map(({ to }) => to.kind),
      orders.map(({ to }) => to.owner),
      orders.map(() => 'USD'),
      orders.map(({ amount }) => amount),
    ],
  });
  return rows[0]?.transfers ?? [];
}
