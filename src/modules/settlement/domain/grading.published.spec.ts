import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import type { BetResult } from '../../bets/domain/bet-machine.js';
import type { Outcome, ScoreKind } from '../../sports/domain/markets.js';
import { partition, publishedCases, readCases } from '../../../../test/support/published-cases.js';
import { priceFromDecimal } from '../../sports/domain/odds.js';
import { type GameResult, type Grade, gradeMarket, gradeProp, payout } from './grading.js';

/** Conversions of odds: `odds.spec.ts`; of several legs and others: `parlay.published.spec.ts`. */
const gradingFile = publishedCases('market_grading_cases.json');
const payoutFile = publishedCases('asian_handicap_payout_cases.json');

function gradeFor(kind: ScoreKind, line: string | null, outcome: Outcome, result: GameResult): Grade {
  const grades: Partial<Record<Outcome, Grade>> = gradeMarket({ kind, line }, result);
  const grade = grades[outcome];
  if (grade === undefined) throw new RangeError(`${outcome} is no outcome of a ${kind}`);
  return grade;
}

function final(homeScore: number, awayScore: number): GameResult {
  return { status: 'final', homeScore, awayScore };
}

interface GradingCase {
  id: string;
  market: string;
  result: { single_score?: string; scores?: Record<string, { home: string; away: string }> };
  selection: { name?: string; header?: string; events?: string };
  expected: 'WON' | 'LOST' | 'VOID' | 'HALF_WON' | 'HALF_LOST';
}

/** How their market is graded here. */
const GRADED_AS: Record<string, (each: GradingCase) => Grade> = {
  FullGoalAsianHandicap: gradeHandicap,
  HalfGoalAsianHandicap: gradeHandicap,
  LowerQuarterGoalHandicap: gradeHandicap,
  UpperQuarterGoalHandicap: gradeHandicap,
  GoalsOverUnder: gradeTotal,
  FirstHalfGoalsOverUnder: gradeTotal,
  DrawNoBet: (each) => gradeFor('moneyline', null, pickedSide(each), finalOf(each)),
  HalfTimeResult: (each) => gradeFor('three_way', null, pickedSide(each), finalOf(each)),
  TenMinutesResult: (each) => gradeFor('three_way', null, pickedSide(each), afterTenMinutes(each)),
  CorrectScore: gradeCorrectScore,
  HalfTimeCorrectScore: gradeCorrectScore,
  Goalscorers: gradeGoalscorer,
};

const NO_PROP =
  'its winner does not stand in what is published, and no market here is decided so by the score';

function reasonNotToGrade({ market, selection }: GradingCase): string | null {
  if (Object.keys(selection).length === 0) return `what was picked is not told (${market})`;
  return GRADED_AS[market] === undefined ? `${market}: ${NO_PROP}` : null;
}

const RESULTS = { WON: 'won', LOST: 'lost', VOID: 'push', HALF_WON: 'half_won', HALF_LOST: 'half_lost' };

/** The score of the first half where there is one: the same rule over a part of the game. */
function scoreOf({ result }: GradingCase): [number, number] {
  const half = result.scores?.['1'];
  const [home, away] = half ? [half.home, half.away] : (result.single_score ?? '').split('-');
  return [Number(home), Number(away)];
}

function finalOf(each: GradingCase): GameResult {
  return final(...scoreOf(each));
}

/** The score stands in the text of an event: `1:0 Goals 00:00 - 09:59`. */
function afterTenMinutes({ selection }: GradingCase): GameResult {
  const [, home, away] = /(\d+):(\d+) Goals 00:00 - 09:59/.exec(selection.events ?? '') ?? [];
  return final(Number(home), Number(away));
}

const SIDES: Record<string, Outcome> = { '1': 'home', x: 'draw', '2': 'away' };

function pickedSide({ selection }: GradingCase): Outcome {
  const name = selection.name?.toLowerCase() ?? '';
  return SIDES[name] ?? (name as Outcome);
}

/** Their line is the picked side's; ours is always home's. */
function gradeHandicap(each: GradingCase): Grade {
  const { name: line = '', header = '' } = each.selection;
  const opposite = line.startsWith('-') ? line.slice(1) : `-${line.replace('+', '')}`;
  return gradeFor(
    'spread',
    header === 'Home' ? line : opposite,
    header.toLowerCase() as Outcome,
    finalOf(each),
  );
}

function gradeTotal(each: GradingCase): Grade {
  const { name: line = null, header = '' } = each.selection;
  return gradeFor('total', line, header.toLowerCase() as Outcome, finalOf(each));
}

/** A prop whose field is the score itself. Theirs is written with the winner's goals first. */
function gradeCorrectScore(each: GradingCase): Grade {
  const { name = '', header } = each.selection;
  const picked = header === 'Away' ? name.split('-').toReversed().join('-') : name;
  return gradePropFor('score', picked, [scoreOf(each).join('-')], 1);
}

/** First and last are won by one player, any time by all who scored. */
function gradeGoalscorer({ selection }: GradingCase): Grade {
  const events = JSON.parse(selection.events ?? '[]') as { text: string }[];
  const scorers = events.map(({ text }) => keyOf(text.replace(/^\d+\w+ Goal - /, '')));
  return gradePropFor(
    'scorer',
    keyOf(selection.name ?? ''),
    scorers,
    selection.header === 'Anytime' ? 22 : 1,
  );
}

function keyOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

function gradePropFor(prop: string, picked: string, winners: string[], places: number): Grade {
  const outcomes = [picked, 'somebody-else'].map((key) => ({ key, label: key }));
  const result: GameResult = { status: 'final', homeScore: 0, awayScore: 0, props: { [prop]: winners } };
  const grade = gradeProp({ kind: 'prop', prop, outcomes, places }, result)[picked];
  if (grade === undefined) throw new RangeError(`${picked} is no outcome`);
  return grade;
}

describe('published gradings', () => {
  if (!existsSync(gradingFile)) {
    it('are read only where they lie beside the repository', () => {
      expect(existsSync(gradingFile)).toBe(false);
    });
    return;
  }
  const cases = readCases<GradingCase>(gradingFile);
  const { applicable, leftOut } = partition(cases, reasonNotToGrade);

  it.each(applicable.map((each) => [each.id, each.market, each] as const))('%s %s', (_id, market, each) => {
    expect(GRADED_AS[market]?.(each).result).toBe(RESULTS[each.expected]);
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
