import { describe, expect, it } from '@jest/globals';
import {
  cutChunks,
  isDecided,
  judgedMarkets,
  type JudgedGame,
  type JudgedMarket,
  kindOf,
  verdictsOf,
} from './verdicts.js';

const FINAL: JudgedGame = {
  status: 'final',
  homeScore: 24,
  awayScore: 20,
  minutesPlayed: null,
  props: { first: ['a', 'b'] },
  confirmedAt: new Date(0),
};
const moneyline: JudgedMarket = { id: 'm', kind: 'moneyline', line: null, status: 'closed' };
const total: JudgedMarket = { id: 't', kind: 'total', line: '45.00', status: 'closed' };
const threeWay: JudgedMarket = { id: 'w', kind: 'three_way', line: null, status: 'closed' };
const prop: JudgedMarket = {
  id: 'p',
  kind: 'prop',
  line: null,
  status: 'closed',
  prop: 'first',
  places: 1,
  outcomes: ['a', 'b', 'c'].map((key) => ({ key, label: key })),
};
const told = (game: JudgedGame, market: JudgedMarket) =>
  verdictsOf(game, [market], 55).map(({ outcome, status, reason }) => `${outcome} ${status} ${reason}`);

describe('a verdict', () => {
  it('is on every outcome of every market, with the factors as whole numbers', () => {
    expect(verdictsOf(FINAL, [moneyline, prop], null)).toEqual([
      {
        market_id: 'm',
        outcome: 'home',
        status: 'won',
        reason: null,
        v_num: 0,
        v_den: 1,
        w: 1,
        h_num: 1,
        h_den: 1,
      },
      {
        market_id: 'm',
        outcome: 'away',
        status: 'lost',
        reason: null,
        v_num: 0,
        v_den: 1,
        w: 0,
        h_num: 1,
        h_den: 1,
      },
      {
        market_id: 'p',
        outcome: 'a',
        status: 'won',
        reason: 'DEAD_HEAT',
        v_num: 0,
        v_den: 1,
        w: 1,
        h_num: 1,
        h_den: 2,
      },
      {
        market_id: 'p',
        outcome: 'b',
        status: 'won',
        reason: 'DEAD_HEAT',
        v_num: 0,
        v_den: 1,
        w: 1,
        h_num: 1,
        h_den: 2,
      },
      {
        market_id: 'p',
        outcome: 'c',
        status: 'lost',
        reason: null,
        v_num: 0,
        v_den: 1,
        w: 0,
        h_num: 1,
        h_den: 1,
      },
    ]);
  });

  it.each<[string, JudgedGame, JudgedMarket, string[]]>([
    [
      'a voided market',
      FINAL,
      { ...prop, status: 'voided' },
      ['a void MARKET_VOIDED', 'b void MARKET_VOIDED', 'c void MARKET_VOIDED'],
    ],
    [
      'a voided three-way one',
      FINAL,
      { ...threeWay, status: 'voided' },
      ['home void MARKET_VOIDED', 'draw void MARKET_VOIDED', 'away void MARKET_VOIDED'],
    ],
    [
      'a cancelled game',
      { ...FINAL, status: 'cancelled' },
      total,
      ['over void GAME_CANCELLED', 'under void GAME_CANCELLED'],
    ],
    [
      'a walk-over',
      { ...FINAL, status: 'walkover' },
      total,
      ['over void GAME_WALKOVER', 'under void GAME_WALKOVER'],
    ],
    [
      'a prop of a walk-over',
      { ...FINAL, status: 'walkover' },
      prop,
      ['a void GAME_WALKOVER', 'b void GAME_WALKOVER', 'c void GAME_WALKOVER'],
    ],
    [
      'an abandoned game',
      { ...FINAL, status: 'abandoned', minutesPlayed: 54 },
      total,
      ['over void GAME_ABANDONED', 'under void GAME_ABANDONED'],
    ],
    [
      'an abandoned game that counts',
      { ...FINAL, status: 'abandoned', minutesPlayed: 55 },
      total,
      ['over lost null', 'under won null'],
    ],
    [
      'a total that was passed',
      { ...FINAL, status: 'abandoned', awayScore: 22 },
      total,
      ['over won null', 'under lost null'],
    ],
    [
      'a result without the field',
      { ...FINAL, props: {} },
      prop,
      ['a void RESULT_MISSING', 'b void RESULT_MISSING', 'c void RESULT_MISSING'],
    ],
    [
      'no props at all',
      { ...FINAL, props: null },
      prop,
      ['a void RESULT_MISSING', 'b void RESULT_MISSING', 'c void RESULT_MISSING'],
    ],
    [
      'a prop that an abandoned game decided',
      { ...FINAL, status: 'abandoned' },
      prop,
      ['a won DEAD_HEAT', 'b won DEAD_HEAT', 'c lost null'],
    ],
    [
      'a prop that it did not decide',
      { ...FINAL, status: 'abandoned', props: null },
      prop,
      ['a void GAME_ABANDONED', 'b void GAME_ABANDONED', 'c void GAME_ABANDONED'],
    ],
  ])('on %s says why', (_, game, market, expected) => {
    expect(told(game, market)).toEqual(expected);
  });
});

describe('a game', () => {
  it.each<[JudgedGame['status'], boolean]>([
    ['scheduled', false],
    ['in_progress', false],
    ['postponed', false],
    ['final', true],
    ['cancelled', true],
    ['abandoned', true],
    ['walkover', true],
  ])('that is %s is decided: %s, but not before that is confirmed', (status, is) => {
    expect(isDecided({ ...FINAL, status })).toBe(is);
    expect(isDecided({ ...FINAL, status, confirmedAt: null })).toBe(false);
  });

  it('that is not decided has its voided markets judged alone', () => {
    const markets = [moneyline, { ...total, status: 'voided' } as const];
    expect(judgedMarkets(FINAL, markets)).toEqual(markets);
    expect(judgedMarkets({ ...FINAL, confirmedAt: null }, markets)).toEqual([markets[1]]);
    expect(judgedMarkets({ ...FINAL, status: 'in_progress' }, markets)).toEqual([markets[1]]);
  });
});

describe('a settlement', () => {
  const verdicts = (game: JudgedGame, ...markets: JudgedMarket[]) => verdictsOf(game, markets, null);
  const first = verdicts(FINAL, moneyline, total);

  it.each([
    ['the first', null, first, 'settle'],
    ['the first, of nothing', null, [], 'settle'],
    [
      'of markets besides a voided one',
      verdicts(FINAL, { ...total, status: 'voided' }),
      [...verdicts(FINAL, moneyline), ...verdicts(FINAL, { ...total, status: 'voided' })],
      'settle',
    ],
    ['by another score', first, verdicts({ ...FINAL, homeScore: 10 }, moneyline, total), 'resettle'],
    ['that changes nothing', first, first, 'resettle'],
    ['of a cancelled game', first, verdicts({ ...FINAL, status: 'cancelled' }, moneyline, total), 'cancel'],
    ['of a walk-over', first, verdicts({ ...FINAL, status: 'walkover' }, moneyline, total), 'cancel'],
    ['of a voided market', first, verdicts(FINAL, moneyline, { ...total, status: 'voided' }), 'cancel'],
    [
      'of a voided market and another score',
      first,
      verdicts({ ...FINAL, homeScore: 10 }, moneyline, { ...total, status: 'voided' }),
      'resettle',
    ],
    [
      'that brings a void back',
      verdicts({ ...FINAL, status: 'cancelled' }, moneyline),
      verdicts(FINAL, moneyline),
      'resettle',
    ],
    [
      'by other winners of a dead heat',
      verdicts(FINAL, prop),
      verdicts({ ...FINAL, props: { first: ['a', 'b', 'x'] } }, prop),
      'resettle',
    ],
  ] as const)('%s is told as such', (_, before, now, kind) => {
    expect(kindOf(before, now)).toBe(kind);
  });

  it('is cut into chunks of whole pools', () => {
    const pools = [3, 4, 1, 9, 2, 5].map((bets, index) => ({ pool_id: `p${index}`, bets }));
    expect(cutChunks(pools, 7)).toEqual([
      { number: 1, pool_ids: ['p0', 'p1'], bets: 7 },
      { number: 2, pool_ids: ['p2'], bets: 1 },
      { number: 3, pool_ids: ['p3'], bets: 9 },
      { number: 4, pool_ids: ['p4', 'p5'], bets: 7 },
    ]);
    expect(cutChunks([], 7)).toEqual([]);
  });
});
