import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  GameBook,
  type GameDelta,
  type GameView,
  messagesOf,
  type NumberedGame,
  type NumberedMarket,
  type PriceMove,
} from './game-book.js';

const OUTCOMES = ['home', 'away'];

function gameOf(seq: number, markets = 2): NumberedGame {
  return {
    id: 'game',
    sport: 'soccer',
    league: 'EPL',
    startsAt: '2023-10-08T17:00:00.000Z',
    status: 'scheduled',
    homeScore: null,
    awayScore: null,
    periods: null,
    resultConfirmed: false,
    seq,
    markets: Array.from({ length: markets }, (_, index) => ({
      id: `market${index}`,
      status: 'open',
      seq,
      prices: OUTCOMES.map((outcome) => ({
        outcome,
        oddsId: `${index}${outcome}`,
        american: 100,
        decimal: '2.0000',
        seq,
      })),
    })),
  };
}

const moveOf = (marketId: string, outcome: string, american: number): PriceMove => ({
  marketId,
  outcome,
  oddsId: `odds${american}`,
  american,
  decimal: '2.0000',
});

/** A market as the database has it after these. */
function moved(market: NumberedMarket, moves: readonly PriceMove[], seq: number): NumberedMarket {
  const prices = market.prices.map((price) => {
    const move = moves.findLast(
      ({ marketId, outcome }) => marketId === market.id && outcome === price.outcome,
    );
    return move ? { ...price, oddsId: move.oddsId, american: move.american, seq } : price;
  });
  return { ...market, prices };
}

/** What a client holds after a delta. */
function applied(game: GameView, { seq, stand, markets, prices }: GameDelta): GameView {
  const all = new Map(game.markets.map((market) => [market.id, market]));
  for (const market of markets) all.set(market.id, market);
  for (const { marketId, ...price } of prices) {
    const market = all.get(marketId)!;
    const now = market.prices.map((each) => (each.outcome === price.outcome ? price : each));
    all.set(marketId, { ...market, prices: now });
  }
  return { ...game, ...stand, seq, markets: [...all.values()] };
}

describe('a game that is followed', () => {
  it('takes what comes next, knows what it has had, and misses what has a gap before it', () => {
    const book = new GameBook(gameOf(4));
    const next = { gameId: 'game', seq: 5, prices: [moveOf('market0', 'home', 110)] };
    expect(book.take({ ...next, seq: 6 })).toBe('missing');
    expect(book.take(next)).toBe('taken');
    expect(book.take(next)).toBe('known');
    expect(book.seq).toBe(5);
    expect(book.take({ ...next, seq: 6, prices: [moveOf('market9', 'home', 110)] })).toBe('missing');
    expect(book.take({ ...next, seq: 6, prices: [moveOf('market0', 'draw', 110)] })).toBe('missing');
    expect(book.replace(gameOf(5))).toBe(false);
    expect(book.replace(gameOf(9, 3))).toBe(true);
    expect(book.seq).toBe(9);
  });

  it('tells each change once', () => {
    const book = new GameBook(gameOf(4));
    expect(book.tell()).toBeNull();
    book.take({ gameId: 'game', seq: 5, prices: [moveOf('market0', 'home', 110)] });
    book.take({ gameId: 'game', seq: 6, prices: [moveOf('market0', 'home', 120)] });
    expect(book.tell()).toEqual({
      gameId: 'game',
      from: 4,
      seq: 6,
      stand: null,
      markets: [],
      prices: [moveOf('market0', 'home', 120)],
    });
    expect(book.tell()).toBeNull();
  });

  it('takes a client from any number that it knew to where it is', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('prices' as const),
        moves: fc.array(
          fc.record({ market: fc.nat(1), outcome: fc.nat(1), american: fc.integer({ min: 101, max: 999 }) }),
          { minLength: 1, maxLength: 3 },
        ),
      }),
      fc.record({
        kind: fc.constant('read' as const),
        status: fc.constantFrom('open', 'suspended'),
        score: fc.option(fc.nat(50)),
        skipped: fc.integer({ min: 1, max: 3 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const book = new GameBook(gameOf(1));
        const seen = [book.snapshot()];
        // What the database has: the last of each, numbered.
        let stored = gameOf(1);
        const taken: unknown[] = [];
        for (const each of steps) {
          if (each.kind === 'prices') {
            const seq = stored.seq + 1;
            const prices = each.moves.map(({ market, outcome, american }) =>
              moveOf(`market${market}`, OUTCOMES[outcome]!, american),
            );
            stored = { ...stored, seq, markets: stored.markets.map((market) => moved(market, prices, seq)) };
            taken.push(book.take({ gameId: 'game', seq, prices }));
          } else {
            const seq = stored.seq + each.skipped;
            const [first, ...others] = stored.markets as [NumberedMarket];
            const markets = [{ ...first, status: each.status, seq }, ...others];
            stored = { ...stored, seq, homeScore: each.score, markets };
            taken.push(book.replace(stored) && 'taken');
          }
          seen.push(book.snapshot());
        }
        expect(taken).toEqual(steps.map(() => 'taken'));
        for (const known of seen) expect(applied(known, book.since(known.seq))).toEqual(book.snapshot());
      }),
    );
  });

  it('is told in messages of which the last alone takes the client on', () => {
    const delta = { gameId: 'game', from: 4, seq: 7, stand: null, markets: [], prices: [] };
    const stand = { ...gameOf(7) };
    const events = (over: object) =>
      messagesOf({ ...delta, ...over }).map(({ event, payload }) => [
        event,
        (payload as GameDelta).from,
        (payload as GameDelta).seq,
      ]);
    expect(events({})).toEqual([['odds:changed', 4, 7]]);
    expect(events({ stand })).toEqual([['game:status', 4, 7]]);
    expect(events({ stand, markets: [{}], prices: [{}] })).toEqual([
      ['game:status', 4, 4],
      ['market:status', 4, 4],
      ['odds:changed', 4, 7],
    ]);
  });
});
