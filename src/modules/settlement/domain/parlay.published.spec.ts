import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { partition, publishedCases, readCases } from '../../../../test/support/published-cases.js';
import type { BetResult } from '../../bets/domain/bet-machine.js';
import { type Price, priceFromAmerican, priceFromDecimal } from '../../sports/domain/odds.js';
import { gradeOf } from './grading.js';
import { legFactor, parlayVerdict } from './parlay.js';
import { judgedMarkets } from './verdicts.js';

const miscFile = publishedCases('misc_settlement_cases.json');

/** A price, American or decimal, and what became of it. */
type MiscLeg = readonly [price: string, state: string];

interface MiscCase {
  src: string;
  type: string;
  unit_stake?: string;
  stake?: string;
  legs?: MiscLeg[];
  /** Of one leg, or several. */
  odds?: string | string[];
  american?: string | string[];
  decimal?: string;
  outcome?: string;
  current_return?: string;
  max_return?: string;
  returns?: string;
  payout?: string;
  profit?: string;
  decimal_product?: string;
  state?: string;
}

/** Not of the case: which it is, from 1 on. */
type NumberedMisc = MiscCase & { id: string };

/** Units are cut so small that nothing is left over: ten legs of one place each. */
const UNIT = 10n ** 10n;

/** How many legs each of a bet's parlays has; a single is one of one leg. */
function sizesOf({ type }: MiscCase, legs: number): number[] {
  if (type.startsWith('Doubles')) return [2];
  if (type.startsWith('Patent')) return [1, 2, 3];
  const of = /^Perms(\d+)/.exec(type);
  return of ? [Number(of[1])] : [legs];
}

function reasonToLeaveOutMisc(each: MiscCase): string | null {
  const told = JSON.stringify(each);
  if (told.includes('each way')) return 'no bet here is on a place';
  if (told.includes('reduction_percent')) return 'no price here is reduced after it was taken';
  if (told.includes('best-odds')) return 'a bet keeps the price it took';
  if (told.includes('fractional')) return 'fractional prices are not taken';
  return null;
}

function legsOf({ legs, odds, american, decimal, outcome = 'WON' }: MiscCase): MiscLeg[] {
  if (legs) return legs;
  const prices = [odds ?? american ?? decimal ?? []].flat();
  const states = outcome.split(',');
  return prices.map((price, index) => [price, states[index] ?? 'WON'] as const);
}

function priceOf(price: string): Price {
  return /^[+-]/.test(price) ? priceFromAmerican(Number(price)) : priceFromDecimal(price);
}

function* choose<T>(from: readonly T[], size: number, start = 0): Generator<T[]> {
  if (size === 0) yield [];
  else
    for (let index = start; index <= from.length - size; index += 1)
      for (const rest of choose(from, size - 1, index + 1)) yield [from[index] as T, ...rest];
}

/** What all the parlays of a case return by now, and what becomes of them. */
function settleMisc(each: MiscCase, openIs: 'won' | null) {
  const legs = legsOf(each).map(([price, state]) => {
    const result = state === 'OPEN' ? openIs : (state.toLowerCase() as BetResult);
    return result
      ? { status: result, factor: legFactor(priceOf(price), gradeOf(result).factors) }
      : { status: 'placed' as const, factor: null };
  });
  const stake = BigInt(Math.round(Number(each.unit_stake ?? each.stake ?? '1') * 100)) * (UNIT / 100n);
  const verdicts = sizesOf(each, legs.length).flatMap((size) =>
    [...choose(legs, size)].map((chosen) => parlayVerdict(stake, chosen)),
  );
  const returned = verdicts.reduce((sum, verdict) => sum + (verdict.payout ?? 0n), 0n);
  return { returned, stake, statuses: verdicts.map(({ status }) => status) };
}

/** In units, to as many places as `like` has, rounded half up as they do. */
function written(amount: bigint, like: string): string {
  const places = /\.(\d+)$/.exec(like)?.[1]?.length ?? 0;
  const cut = 10n ** BigInt(10 - places);
  const digits = String((amount + cut / 2n) / cut).padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

const STATUSES: Record<string, string> = { OPEN: 'placed', WON: 'won', VOID: 'void' };

describe('published settlements of several legs, and others', () => {
  if (!existsSync(miscFile)) {
    it('are read only where they lie beside the repository', () => {
      expect(existsSync(miscFile)).toBe(false);
    });
    return;
  }
  const cases: NumberedMisc[] = readCases<MiscCase>(miscFile).map((each, index) => ({
    ...each,
    id: `misc-${index + 1}`,
  }));
  const { applicable, leftOut } = partition(cases, reasonToLeaveOutMisc);
  const named = (rows: NumberedMisc[]) => rows.map((each) => [each.id, each.src, each.type, each] as const);
  const refused = applicable.filter(({ returns }) => returns?.startsWith('REJECT'));

  it.each(named(refused))('%s %s: %s is not settled before the game is over', (_id, _src, _type, each) => {
    expect(each.outcome).toBe('NOT_ENDED');
    const game = { homeScore: 1, awayScore: 0, minutesPlayed: null, confirmedAt: null };
    const market = { id: 'm', kind: 'moneyline' as const, line: null, status: 'closed' as const };
    for (const status of ['scheduled', 'in_progress', 'postponed'] as const)
      expect(judgedMarkets({ ...game, status }, [market])).toEqual([]);
  });

  it.each(named(applicable.filter((each) => !refused.includes(each))))(
    '%s %s: %s',
    (_id, _src, _type, each) => {
      const now = settleMisc(each, null);
      const atMost = settleMisc(each, 'won');
      const told = {
        current_return: (like: string) => written(now.returned, like),
        returns: (like: string) => written(now.returned, like),
        payout: (like: string) => written(now.returned, like),
        profit: (like: string) => written(now.returned - now.stake, like),
        decimal_product: (like: string) => written(now.returned, like),
        max_return: (like: string) => written(atMost.returned, like),
      };
      const expected = Object.entries(each).filter(([key]) => key in told) as [keyof typeof told, string][];
      expect(expected.length).toBeGreaterThan(0);
      expect(Object.fromEntries(expected.map(([key, like]) => [key, told[key](like)]))).toEqual(
        Object.fromEntries(expected),
      );
      // Of several parlays theirs is the best; where they tell none, ours is not held against it.
      expect(now.statuses).toContain(STATUSES[each.state ?? ''] ?? now.statuses[0]);
    },
  );

  it.each(leftOut)('leaves out %i: %s (%s)', (count) => {
    expect(count).toBeGreaterThan(0);
  });

  it(`uses ${applicable.length} of ${cases.length}`, () => {
    expect(applicable.length + leftOut.reduce((sum, [count]) => sum + count, 0)).toBe(cases.length);
    expect(applicable.length).toBeGreaterThan(0);
  });
});
