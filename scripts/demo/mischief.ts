import { randomUUID } from 'node:crypto';
import type { PlacedBetDto } from '../../src/modules/bets/dto/place-bet.dto.js';
import type { MeDto } from '../../src/modules/pools/dto/me.dto.js';
import type { GameDto } from '../../src/modules/sports/dto/games.dto.js';
import type { Answer, HttpClient } from '../launch/http-client.js';
import type { Chance } from './chance.js';
import type { Option, Player } from './players.js';
import type { Records } from './records.js';

/** Whom and what a misdeed may take. */
export interface Scene {
  readonly players: readonly Player[];
  readonly spectator: HttpClient;
  readonly admin: HttpClient;
  readonly chance: Chance;
  readonly records: Records;
  readonly maxStake: number;
  /** What can be bet on now. */
  readonly options: readonly Option[];
  /** A game of another week, when the season has one. */
  readonly foreign: GameDto | undefined;
}

interface Misdeed {
  readonly what: string;
  readonly code: string;
  /** Null when it cannot be tried now. */
  readonly attempt: (scene: Scene, player: Player, option: Option) => Promise<Answer<unknown> | null>;
}

/** The body of a bet: on one option, or on several together. */
export function betBody(on: Option | readonly Option[], stake: number): object {
  if ('game' in on) return { ...legBody(on), stake };
  const [only, ...others] = on;
  return only && others.length === 0 ? betBody(only, stake) : { legs: on.map(legBody), stake };
}

function legBody({ market, price }: Option): object {
  return { marketId: market.id, outcome: price.outcome, oddsId: price.oddsId };
}

function bet(client: HttpClient, body: object): Promise<Answer<PlacedBetDto>> {
  return client.call<PlacedBetDto>('POST', 'bets', { body, key: randomUUID() });
}

async function creditsOf(client: HttpClient): Promise<number> {
  const { pool } = await client.ask<MeDto>('GET', 'me');
  return pool?.credits ?? 0;
}

const MISDEEDS: readonly Misdeed[] = [
  {
    what: 'a stake above the balance',
    code: 'INSUFFICIENT_CREDITS',
    attempt: async ({ maxStake }, { client }, option) => {
      const credits = await creditsOf(client);
      return credits >= maxStake ? null : await bet(client, betBody(option, credits + 1));
    },
  },
  {
    what: 'a stake above the maximum',
    code: 'STAKE_TOO_LARGE',
    attempt: ({ maxStake }, { client }, option) => bet(client, betBody(option, maxStake + 1)),
  },
  {
    what: 'a stake of nothing',
    code: 'VALIDATION_FAILED',
    attempt: (_, { client }, option) => bet(client, betBody(option, 0)),
  },
  {
    what: 'a game of another week',
    code: 'GAME_NOT_IN_WEEK',
    attempt: async ({ foreign }, { client }) => {
      const market = foreign?.markets[0];
      const price = market?.prices[0];
      if (!foreign || !market || !price) return null;
      return await bet(client, betBody({ game: foreign, market, price }, 10));
    },
  },
  {
    what: 'a price that nobody offered',
    code: 'ODDS_UNKNOWN',
    attempt: async (_, { client }, option) => {
      // Prices are looked at last: who has no credits is told of those first.
      if ((await creditsOf(client)) === 0) return null;
      return await bet(client, { ...betBody(option, 1), oddsId: randomUUID() });
    },
  },
  {
    what: 'an outcome of another market',
    code: 'OUTCOME_UNKNOWN',
    attempt: (_, { client }, option) => {
      const outcome = option.market.kind === 'total' ? 'home' : 'over';
      return bet(client, { ...betBody(option, 10), outcome });
    },
  },
  {
    what: 'a market that is not there',
    code: 'MARKET_NOT_FOUND',
    attempt: (_, { client }, option) => bet(client, { ...betBody(option, 10), marketId: randomUUID() }),
  },
  {
    what: 'a bet without a key',
    code: 'IDEMPOTENCY_KEY_REQUIRED',
    attempt: (_, { client }, option) => client.call('POST', 'bets', { body: betBody(option, 10) }),
  },
  {
    what: 'another bet with a key that was used',
    code: 'IDEMPOTENCY_KEY_REUSED',
    attempt: async ({ records }, { client }, option) => {
      const key = randomUUID();
      const first = await client.call<PlacedBetDto>('POST', 'bets', { body: betBody(option, 1), key });
      if (!first.ok) return null; // the player has nothing left
      records.bet(client.userId, [option], 1, first.data);
      return await client.call('POST', 'bets', { body: betBody(option, 2), key });
    },
  },
  {
    what: 'a bet of somebody who is not signed in',
    code: 'UNAUTHENTICATED',
    attempt: (_, { client }, option) =>
      client.call('POST', 'bets', { body: betBody(option, 10), key: randomUUID(), anonymous: true }),
  },
  {
    what: 'a bet of somebody who is in no pool',
    code: 'NOT_IN_POOL',
    attempt: ({ spectator }, _, option) => bet(spectator, betBody(option, 10)),
  },
  {
    what: 'a player who posts a result',
    code: 'FORBIDDEN',
    attempt: (_, { client }, { game }) =>
      client.call('POST', `admin/games/${game.id}/result`, {
        body: { status: 'final', homeScore: 99, awayScore: 0 },
      }),
  },
  {
    what: 'a bet on a market that is suspended',
    code: 'MARKET_NOT_OPEN',
    attempt: async ({ admin }, { client }, option) => {
      const body = { reason: 'The demo shows a suspension' };
      await admin.ask('POST', `admin/markets/${option.market.id}/suspend`, { body });
      const answer = await bet(client, betBody(option, 10));
      await admin.ask('POST', `admin/markets/${option.market.id}/resume`, { body });
      return answer;
    },
  },
];

/** Tries some of what is not allowed, and notes whether it was refused for the right reason. */
export async function misbehave(scene: Scene, times: number): Promise<void> {
  const { chance, records, players, options } = scene;
  if (options.length === 0) return;
  for (let left = times; left > 0; left -= 1) {
    const { what, code, attempt } = chance.pick(MISDEEDS);
    const answer = await attempt(scene, chance.pick(players), chance.pick(options));
    if (answer) records.expectRefusal(code, what, answer);
  }
}

/** Bets on games that have begun, at the prices that were shown before. */
export async function betTooLate(scene: Scene, times: number): Promise<void> {
  const { chance, records, players, options } = scene;
  for (let left = times; left > 0 && options.length > 0; left -= 1) {
    const answer = await bet(chance.pick(players).client, betBody(chance.pick(options), 10));
    records.expectRefusal('GAME_STARTED', 'a bet after the kick-off', answer);
  }
}
