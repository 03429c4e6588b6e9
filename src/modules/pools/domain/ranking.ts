/** What a table is made of. Credits are whole and may be negative: tables rank the balance less the debt. */
export interface Rankable {
  readonly userId: string;
  readonly credits: number | bigint;
}

/**
 * The table: by credits, the most first; equal credits share a rank and the next one is skipped (1, 2, 2, 4). Members
 * of one rank stand in the order of their ids, so that every reader sees the same table. Returns a new array. Throws
 * RangeError when credits are not whole.
 */
export function rankMembers<T extends Rankable>(members: readonly T[]): (T & { rank: number })[] {
  for (const { userId, credits } of members) {
    if (typeof credits === 'number' && !Number.isSafeInteger(credits)) {
      throw new RangeError(`credits of ${userId} are not whole: ${credits}`);
    }
  }
  const ranked = members.map((member) => ({ ...member, rank: 0 })).toSorted(byCreditsThenId);
  ranked.forEach((member, i) => {
    const above = ranked[i - 1];
    member.rank = above !== undefined && !(above.credits > member.credits) ? above.rank : i + 1;
  });
  return ranked;
}

function byCreditsThenId(a: Rankable, b: Rankable): number {
  if (a.credits > b.credits) return -1;
  if (a.credits < b.credits) return 1;
  if (a.userId === b.userId) return 0;
  return a.userId < b.userId ? -1 : 1;
}
