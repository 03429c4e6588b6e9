import { describe, expect, it } from '@jest/globals';
import { BegunGames } from './begun-games.js';
import type { WireEvent } from './wire.js';

const START = new Date('2026-04-16T19:00:00Z');
const at = (hours: number) => new Date(START.getTime() + hours * 3_600_000);
const event = (id: string, startsAt: Date): WireEvent => ({
  id,
  startsAt,
  homeTeam: 'a',
  awayTeam: 'b',
  rest: {},
});

describe('BegunGames', () => {
  const knowing = (...events: WireEvent[]) => {
    const games = new BegunGames(3);
    games.learn('nba', events, at(-1));
    return games;
  };

  it('takes it that games go on in a sport of which nothing is known', () => {
    expect([knowing().hasLive('nhl', START), knowing().hasResults('nhl', START)]).toEqual([true, true]);
  });

  it.each([
    [-0.01, false],
    [0, true],
    [12, true],
    [12.01, false],
  ])('%d hours after the start of the only game, it goes on: %j', (hours, isLive) => {
    expect(knowing(event('e', START)).hasLive('nba', at(hours))).toBe(isLive);
  });

  it('has nothing going on once it is over, also when the provider lists it again', () => {
    const games = knowing(event('e', START));
    games.isOver('nba', 'e');
    games.learn('nba', [event('e', START)], at(2));
    expect(games.hasLive('nba', at(2))).toBe(false);
    games.isOver('nba', 'of another feed');
    games.isOver('nhl', 'e');
  });

  it('follows a start that moves', () => {
    const games = knowing(event('e', START));
    games.learn('nba', [event('e', at(24))], at(1));
    expect([games.hasLive('nba', at(2)), games.hasLive('nba', at(25))]).toEqual([false, true]);
  });

  it('looks at results once in any case, then while games go on, then every hour for as long as they are told', () => {
    const games = knowing(event('e', START));
    expect(games.hasResults('nba', at(-1))).toBe(true);
    games.looked('nba', at(-1));
    expect(games.hasResults('nba', at(-0.5))).toBe(false);
    expect(games.hasResults('nba', at(1))).toBe(true);
    games.isOver('nba', 'e');
    games.looked('nba', at(3));
    expect(games.hasResults('nba', at(3.9))).toBe(false);
    expect(games.hasResults('nba', at(4))).toBe(true);
    games.looked('nba', at(4));
    expect(games.hasResults('nba', at(72))).toBe(true);
    expect(games.hasResults('nba', at(73))).toBe(false);
  });
});
