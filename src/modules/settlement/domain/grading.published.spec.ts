import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import type { BetResult } from '../../bets/domain/bet-machine.js';
import type { MarketKind, Outcome } from '../../sports/domain/markets.js';
import { priceFromDecimal } from '../../sports/domain/odds.js';
import { type GameResult, type Grade, gradeMarket, payout } from './grading.js';

/** Expectations published by other projects, where they lie beside the repository. */
const folder = new URL('../../../../../shared/data/settlement/', import.meta.url);
const gradingFile = new URL('market_grading_cases.json', folder);
const payoutFile = new URL('asian_handicap_payout_cases.json', folder);

function readCases<T>(file: URL): T[] {
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: T[] }).cases;
}

function gradeFor(kind: MarketKind, line: string | null, outcome: Outcome, result: GameResult): Grade {
  const grades: Partial<Record<Outcome, Grade>> = gradeMarket({ kind, line }, result);
  const grade = grades[outcome];
  if (grade === undefined) throw new RangeError(`${outcome} is no outcome of a ${kind}`);
  return grade;
}

function final(homeScore: number, awayScore: number): GameResult {
  return { status: 'final', homeScore, awayScore };
}

/** Splits off what does not apply, by reason; the reasons and their ids become tests, so that a report shows them. */
function partition<T extends { id: string }>(cases: T[], reasonToLeaveOut: (each: T) => string | null) {
  const applicable = cases.filter((each) => reasonToLeaveOut(each) === null);
  const left = cases.filter((each) => reasonToLeaveOut(each) !== null);
  const reasons = Map.groupBy(left, (each) => reasonToLeaveOut(each) ?? '');
  const leftOut = [...reasons].map(
    ([reason, all]) => [all.length, reason, all.map(({ id }) => id).join(' ')] as const,
  );
  return { applicable, leftOut };
}

interface GradingCase {
  id: string;
  market: string;
  result: { single_score?: string; scores?: Record<string, { home: string; away: string }> };
  selection: { name?: string; header?: string };
  expected: 'WON' | 'LOST' | 'VOID' | 'HALF_WON' | 'HALF_LOST';
}

const KINDS: Record<string, MarketKind> = {
  FullGoalAsianHandicap: 'spread',
  HalfGoalAsianHandicap: 'spread',
  LowerQuarterGoalHandicap: 'spread',
  UpperQuarterGoalHandicap: 'spread',
  GoalsOverUnder: 'total',
  // The same rule over the score of one half.
  FirstHalfGoalsOverUnder: 'total',
  DrawNoBet: 'moneyline',
};

const RESULTS = { WON: 'won', LOST: 'lost', VOID: 'push', HALF_WON: 'half_won', HALF_LOST: 'half_lost' };

function scoreOf({ result }: GradingCase): GameResult {
  const half = result.scores?.['1'];
  const [home, away] = half ? [half.home, half.away] : (result.single_score ?? '').split('-');
  return final(Number(home), Number(away));
}

/** Their line is the picked side's; ours is always home's. */
function homeLineOf({ market, selection }: GradingCase): string | null {
  const line = selection.name ?? '';
  if (KINDS[market] === 'moneyline') return null;
  if (KINDS[market] === 'total' || selection.header === 'Home') return line;
  return line.startsWith('-') ? line.slice(1) : `-${line.replace('+', '')}`;
}

describe('published gradings', () => {
  if (!existsSync(gradingFile)) {
    it('are read only where they lie beside the repository', () => {
      expect(existsSync(gradingFile)).toBe(false);
    });
    return;
  }
  const cases = readCases<GradingCase>(gradingFile);
  const { applicable, leftOut } = partition(cases, ({ market }) =>
    KINDS[market] === undefined ? `${market} is no market here` : null,
  );

  it.each(applicable.map((each) => [each.id, each.market, each] as const))('%s %s', (_id, _market, each) => {
    const { market, selection, expected } = each;
    const kind = KINDS[market] ?? 'moneyline';
    const outcome = (kind === 'moneyline' ? selection.name : selection.header)?.toLowerCase() as Outcome;
    expect(gradeFor(kind, homeLineOf(each), outcome, scoreOf(each)).result).toBe(RESULTS[expected]);
  });

  it.each(leftOut)('leaves out %i: %s (%s)', (count) => {
    expect(count).toBeGreaterThan(0);
  });

  it(`uses ${applicable.length} of ${cases.length}`, () => {
    expect(applicable.length + leftOut.reduce((sum, [count]) => sum + count, 0)).toBe(cases.length);
    expect(applicable.length).toBeGreaterThan(0);
  });
});

interface PayoutCase {
  id: string;
  home_goals: number;
  away_goals: number;
  home_line: string;
  bet_side: Outcome;
  decimal_odds: number | string;
  stake: number;
  expected: 'REJECT' | { outcome?: 'win' | 'loss' | 'push'; payout?: number; profit?: number };
}

/** Their split line `-0.5/-1` is our quarter line `-0.75`. */
function lineOf({ home_line }: PayoutCase): string {
  const parts = home_line.split('/').map(Number);
  const [low = Number.NaN, high = Number.NaN] = parts;
  return parts.length === 2 ? String((low + high) / 2) : home_line;
}

/** Stakes and payouts in hundredths, so that their fractions of a unit stay whole. */
function hundredths(units: number): bigint {
  return BigInt(Math.round(units * 100));
}

const OUTCOME_OF: Record<BetResult, string> = {
  won: 'win',
  half_won: 'win',
  lost: 'loss',
  half_lost: 'loss',
  push: 'push',
  void: 'push',
};

/** What a case says of the outcome, the payout and the profit; most leave one or two of them out. */
function wantedOf(expected: PayoutCase['expected']): Record<string, string | bigint> {
  if (expected === 'REJECT') return {};
  return {
    ...(expected.outcome !== undefined && { outcome: expected.outcome }),
    ...(expected.payout !== undefined && { payout: hundredths(expected.payout) }),
    ...(expected.profit !== undefined && { profit: hundredths(expected.profit) }),
  };
}

function settle(each: PayoutCase) {
  const grade = gradeFor('spread', lineOf(each), each.bet_side, final(each.home_goals, each.away_goals));
  const price = priceFromDecimal(String(each.decimal_odds));
  return { result: grade.result, paid: payout(hundredths(each.stake), price, grade.factors) };
}

describe('published payouts', () => {
  if (!existsSync(payoutFile)) {
    it('are read only where they lie beside the repository', () => {
      expect(existsSync(payoutFile)).toBe(false);
    });
    return;
  }
  const cases = readCases<PayoutCase>(payoutFile);
  const { applicable, leftOut } = partition(cases, ({ home_goals, away_goals, expected }) =>
    expected !== 'REJECT' && !(Number.isInteger(home_goals) && Number.isInteger(away_goals))
      ? 'scores are whole here'
      : null,
  );

  const named = (rows: PayoutCase[]) => rows.map((each) => [each.id, each] as const);

  it.each(named(applicable.filter(({ expected }) => expected === 'REJECT')))('%s is refused', (_, each) => {
    expect(() => settle(each)).toThrow(RangeError);
  });

  it.each(named(applicable.filter(({ expected }) => expected !== 'REJECT')))('%s', (_, each) => {
    const { result, paid } = settle(each);
    const actual = { outcome: OUTCOME_OF[result], payout: paid, profit: paid - hundredths(each.stake) };
    expect(actual).toMatchObject(wantedOf(each.expected));
  });

  it.each(leftOut)('leaves out %i: %s (%s)', (count) => {
    expect(count).toBeGreaterThan(0);
  });

  it(`uses ${applicable.length} of ${cases.length}`, () => {
    expect(applicable.length + leftOut.reduce((sum, [count]) => sum + count, 0)).toBe(cases.length);
    expect(applicable.length).toBeGreaterThan(0);
  });
});
