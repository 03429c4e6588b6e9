import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { FeedMarket } from '../../src/modules/sports/feeds/sports-feed.js';
import type { Client } from './client.js';
import type { Json } from './odds-follower.js';
import type { toldFeed } from './told-feed.js';

/** A feed's prop, as it offers it at the moment. */
export const first = (prices: Record<string, number>): FeedMarket => ({
  kind: 'prop',
  line: null,
  prop: {
    key: 'first',
    title: 'First touchdown',
    outcomes: Object.keys(prices).map((key) => ({ key, label: key.toUpperCase() })),
  },
  prices: Object.entries(prices).map(([outcome, american]) => ({ outcome, american })),
});
export const THREE = { a: 150, b: 150, c: 260 };
export const TWO = { a: -110, b: -110 };
export const AGAIN = { a: 150, b: 150, c: 300 };
/** Without c, and the others as they were: that gives money away, and is not believed. */
export const DOUBTED = { a: 150, b: 150 };

/** The prop of game a, as clients meet it. */
export function firstTouchdown(
  { game, idOf }: Pick<ReturnType<typeof toldFeed>, 'game' | 'idOf'>,
  admin: () => Client,
) {
  return {
    /** Its state, what it consists of, and what it has prices of. */
    shown: async (): Promise<string> => {
      const { data } = await admin().get(`games/${(await game()).id}`);
      const prop = data.markets.find(({ prop: key }: Json) => key === 'first');
      const detail = (await admin().get(`markets/${prop.id}`)).data;
      expect(detail.prices.map(({ oddsId }: Json) => oddsId)).toEqual(
        prop.prices.map(({ oddsId }: Json) => oddsId),
      );
      const prices = prop.prices.map(({ outcome, american }: Json) => `${outcome} ${american}`);
      return `${prop.status} ${prop.outcomes.map(({ key }: Json) => key).join('')}: ${prices.join(', ')}`;
    },
    bet: async (player: Client, outcome: string, over: object = {}): Promise<string> => {
      const marketId = await idOf('a', 'prop');
      const body = { marketId, outcome, stake: 10, acceptOdds: 'any', ...over };
      const { status, error } = await player.post('bets', body, { key: randomUUID() });
      return status === 201 ? 'placed' : `${status} ${error.code}`;
    },
  };
}
