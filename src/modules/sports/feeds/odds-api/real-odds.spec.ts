import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadRules } from '../../../../platform/config/load-config.js';
import { priceEvent } from './read-odds.js';
import { readScore } from './read-scores.js';
import { parseExactly, readEvent, type WireEvent } from './wire.js';

const ROOT = join(import.meta.dirname, '../../../../..');
/** A real snapshot of the provider's answers, which has no licence and so is no part of the product. */
const ANSWERS = join(ROOT, '../shared/data/specs/odds-api');
/** When it was taken. */
const NOW = new Date('2026-04-16T19:00:30Z');

interface RealEvent {
  readonly commence_time: string;
  readonly home_team: string;
  readonly away_team: string;
  readonly bookmakers: readonly {
    readonly key: string;
    readonly markets: readonly {
      readonly key: string;
      readonly outcomes: readonly {
        readonly name: string;
        readonly price: string;
        readonly point?: string;
      }[];
    }[];
  }[];
}
const EXCHANGE = /^betfair_ex|^matchbook$|^smarkets$/;
type Row = Record<string, number>;

(existsSync(ANSWERS) ? describe : describe.skip)('real answers of The Odds API', () => {
  const { oddsApi, checks } = loadRules(join(ROOT, 'config')).sports;
  const { bookmakers, priceMaxAgeSeconds } = oddsApi;
  const { overroundMin, overroundMax } = checks;
  const rules = { bookmakers, excluded: oddsApi.excluded, priceMaxAgeSeconds, overroundMin, overroundMax };
  const sportOf = (name: string) => {
    const key = name.replace(/^(odds|scores)_|\.json$/g, '');
    const mma = {
      key,
      sport: 'mma',
      league: 'MMA',
      h2h: 'moneyline',
      season: { firstMonth: 1, years: 1 },
    } as const;
    return oddsApi.sports.find((sport) => sport.key === key) ?? mma;
  };
  const files = (kind: string) => readdirSync(ANSWERS).filter((name) => name.startsWith(`${kind}_`));
  const eventsOf = (name: string): WireEvent[] =>
    (parseExactly(readFileSync(join(ANSWERS, name), 'utf8')) as unknown[]).map((value) => {
      const event = readEvent(value);
      if (!event) throw new Error(`${name} has an event that is none`);
      return event;
    });

  it('are priced, every event and price of them: whole markets of one bookmaker, the rest with a reason', () => {
    const table: Record<string, Row> = {};
    const totals = { events: 0, prices: 0 };
    for (const name of files('odds')) {
      const sport = sportOf(name);
      const row: Row = {};
      table[sport.key] = row;
      const count = (what: string, by = 1) => (row[what] = (row[what] ?? 0) + by);
      for (const event of eventsOf(name)) {
        const real = event.rest as unknown as RealEvent;
        const quoted = real.bookmakers.flatMap((bookmaker) => bookmaker.markets);
        totals.prices += quoted.flatMap(({ outcomes }) => outcomes).length;
        totals.events += 1;
        count('events');
        count('quotes', quoted.length);
        const { odds, problems, dropped, excluded } = priceEvent(event, sport, rules, NOW);
        if (new Date(real.commence_time) <= NOW) {
          count('in play');
          count('priced in play', odds.markets.length);
          continue;
        }
        count('excluded', excluded);
        for (const { reason } of dropped) count(reason);
        count('usable', quoted.length - excluded - dropped.length);
        count('problems', problems.length);
        for (const market of odds.markets) {
          count(market.kind);
          // Once more and otherwise: the prices stand beside each other in the answer, of one bookmaker that we want.
          const names: Record<string, string> = {
            home: real.home_team,
            away: real.away_team,
            draw: 'Draw',
            over: 'Over',
            under: 'Under',
          };
          const sides = market.prices
            .map(({ outcome, decimal }) => `${names[outcome]} ${decimal}`)
            .toSorted();
          const owners = real.bookmakers.filter((bookmaker) =>
            bookmaker.markets.some(
              ({ key, outcomes }) =>
                !key.endsWith('lay') &&
                JSON.stringify(outcomes.map((each) => `${each.name} ${each.price}`).toSorted()) ===
                  JSON.stringify(sides) &&
                (market.line === null ||
                  outcomes.some(
                    (each) =>
                      ['Over', real.home_team].includes(each.name) &&
                      Number(each.point) === Number(market.line),
                  )),
            ),
          );
          expect(owners.filter(({ key }) => !EXCHANGE.test(key))).not.toEqual([]);
          const implied = market.prices.reduce((sum, { decimal }) => sum + 1 / Number(decimal), 0) - 1;
          expect(implied).toBeGreaterThanOrEqual(-1e-12);
          expect(implied).toBeLessThanOrEqual(0.4);
        }
        // What anybody has whom we listen to is priced or a problem: nothing is lost in silence.
        const names: Record<string, string> = { h2h: sport.h2h, spreads: 'spread', totals: 'total' };
        const offered = real.bookmakers
          .filter(({ key }) => !EXCHANGE.test(key))
          .flatMap(({ markets }) => markets.flatMap(({ key }) => names[key] ?? []));
        const told = [...odds.markets.map(({ kind }) => kind), ...problems.map(({ subject }) => subject)];
        expect(told.toSorted()).toEqual([...new Set(offered)].toSorted());
      }
    }
    process.stdout.write(`\nReal odds (${totals.events} events, ${totals.prices} prices):\n`);
    for (const [key, row] of Object.entries(table)) {
      const text = Object.entries(row).map(([what, count]) => `${what} ${count}`);
      process.stdout.write(`  ${key}: ${text.join(', ')}\n`);
    }
    expect(totals).toEqual({ events: 190, prices: 24_098 });
    const sum = (what: string) => Object.values(table).reduce((all, row) => all + (row[what] ?? 0), 0);
    expect([sum('in play'), sum('priced in play')]).toEqual([6, 0]);
    // Every market of the sports that we take is priced but for those in play; a few fights have no bookmaker with a proper price.
    expect(table['basketball_nba']).toMatchObject({ moneyline: 8, spread: 8, total: 8, problems: 0 });
    expect(table['soccer_epl']).toMatchObject({ three_way: 20, problems: 0 });
    expect(table['icehockey_nhl']).toMatchObject({ moneyline: 12, OUTCOMES_OTHER: 118, problems: 0 });
  });

  it('lose what is no price by its overround alone, were exchanges not excluded', () => {
    const counts: Row = {};
    for (const name of files('odds'))
      for (const event of eventsOf(name)) {
        const { dropped, odds } = priceEvent(event, sportOf(name), { ...rules, excluded: ['*_lay'] }, NOW);
        for (const { reason, bookmaker } of dropped) {
          if (!reason.startsWith('OVERROUND')) continue;
          counts[reason] = (counts[reason] ?? 0) + 1;
          expect(bookmaker).toMatch(EXCHANGE);
        }
        for (const { prices } of odds.markets)
          expect(prices.reduce((sum, { decimal }) => sum + 1 / Number(decimal), 0)).toBeLessThanOrEqual(1.4);
      }
    process.stdout.write(`\nOf exchanges outside the bounds: ${JSON.stringify(counts)}\n`);
    expect(counts).toEqual({ OVERROUND_HIGH: 94 });
  });

  it('have scores as strings, results only of what is completed, and nothing before the start', () => {
    const counts = { results: 0, scores: 0, nothing: 0, problems: 0 };
    for (const name of files('scores'))
      for (const event of eventsOf(name)) {
        const read = readScore(event);
        if (read === null) counts.nothing += 1;
        else if ('result' in read) counts.results += 1;
        else if ('score' in read) counts.scores += 1;
        else counts.problems += 1;
        expect(read !== null && 'result' in read).toBe(event.rest['completed']);
      }
    expect(counts).toEqual({ results: 69, scores: 6, nothing: 184, problems: 0 });
  });
});
