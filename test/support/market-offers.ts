import type { TestGame } from './builders.js';
import type { Client } from './client.js';
import type { DocumentedApi } from './documented-api.js';

/** A prop with prices of both kinds. */
export const FIRST_TOUCHDOWN = {
  key: 'first_touchdown',
  title: 'First touchdown',
  outcomes: [
    { key: 'kelce', label: 'Travis Kelce', american: 150 },
    { key: 'hill', label: 'Tyreek Hill', decimal: '1.95' },
    { key: 'nobody', label: 'No touchdown', american: 900 },
  ],
};

/** Calls what an operator does to the offer of a game, and reads what came of it. */
export async function callOffers(api: DocumentedApi, admin: Client, game: TestGame): Promise<void> {
  const { id } = game.spread;
  await api.call('MarketOffers_offer', admin, { id: game.id }, FIRST_TOUCHDOWN);
  const prices = [{ outcome: 'home', american: 100 }];
  await api.call('MarketOffers_price', admin, { id }, { prices, reason: 'test' });
  await api.call('MarketOffers_limit', admin, { id }, { maxStake: 500, reason: 'test' });
  await api.call('Markets_get', admin, { id });
  await api.call('Markets_odds', admin, { id }, undefined, '?limit=2');
}
