import { randomUUID } from 'node:crypto';
import type { PreparedPosting } from '../../src/modules/wallet/domain/posting.js';

/** One transfer of a group; of the first account's kind and the second's `user_available` unless it says so. */
export interface GroupedTransfer {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly kinds?: readonly [string, string];
  readonly reference?: string;
}

const AVAILABLE = ['user_available', 'user_available'] as const;
const POST_GROUP = 'SELECT ledger_post_pairs($1, $2, $3, $4, $5, $6, $7, $8, $9) AS ids';

interface Queryable {
  query(text: string, values: unknown[]): Promise<{ rows: { ids: (string | null)[] }[] }>;
}

/** Posts transfers by the function for groups; their ids in order, null for what was not posted. */
export async function postGroup(
  db: Queryable,
  group: readonly GroupedTransfer[],
): Promise<(string | null)[]> {
  const { rows } = await db.query(POST_GROUP, [
    group.map(({ reference }) => reference ?? randomUUID()),
    group.map(() => Buffer.alloc(1)),
    group.map(() => 'test'),
    group.map(({ kinds = AVAILABLE }) => kinds[0]),
    group.map(({ from }) => from),
    group.map(({ kinds = AVAILABLE }) => kinds[1]),
    group.map(({ to }) => to),
    group.map(() => 'USD'),
    group.map(({ amount }) => amount),
  ]);
  return rows[0]?.ids ?? [];
}

/** The same of postings of two legs each, as the ledger has prepared them. */
export async function postPrepared(
  db: Queryable,
  postings: readonly PreparedPosting[],
): Promise<(string | null)[]> {
  const leg = (n: 0 | 1) => postings.map(({ legs }) => legs[n]!);
  const { rows } = await db.query(POST_GROUP, [
    postings.map(({ reference }) => reference),
    postings.map(({ hash }) => hash),
    postings.map(({ type }) => type),
    leg(0).map(({ account }) => account.kind),
    leg(0).map(({ account }) => account.owner),
    leg(1).map(({ account }) => account.kind),
    leg(1).map(({ account }) => account.owner),
    leg(1).map(({ account }) => account.currency),
    leg(1).map(({ amount }) => amount),
  ]);
  return rows[0]?.ids ?? [];
}
