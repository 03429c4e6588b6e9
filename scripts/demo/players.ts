import type { GameDto } from '../../src/modules/sports/dto/games.dto.js';
import type { HttpClient } from '../launch/http-client.js';
import type { Chance } from './chance.js';

/** Something one can bet on: a price of a market of a game. */
export interface Option {
  readonly game: GameDto;
  readonly market: GameDto['markets'][number];
  readonly price: GameDto['markets'][number]['prices'][number];
}

/** How somebody plays. */
export interface Temperament {
  readonly name: string;
  /** Of 100 players, how many play so. */
  readonly share: number;
  /** Bets in the week, about. */
  readonly appetite: number;
  /** Bets at one sitting at most. */
  readonly sitting: number;
  readonly likes: (option: Option) => boolean;
  readonly stake: (credits: number, chance: Chance) => number;
}

const isFavourite = ({ price }: Option): boolean => Number(price.decimal) < 1.8;
const isOutsider = ({ price }: Option): boolean => Number(price.decimal) > 2.2;
/** Before the weekend: who stakes everything on it and loses has time to buy back. */
const isEarly = ({ game }: Option): boolean => [4, 5].includes(new Date(game.startsAt).getUTCDay());
const kindIs =
  (kind: string) =>
  ({ market }: Option): boolean =>
    market.kind === kind;

export const TEMPERAMENTS: readonly Temperament[] = [
  {
    name: 'careful',
    share: 26,
    appetite: 12,
    sitting: 3,
    likes: isFavourite,
    stake: (_, chance) => 5 * chance.between(2, 10),
  },
  {
    name: 'steady',
    share: 30,
    appetite: 18,
    sitting: 4,
    likes: kindIs('spread'),
    stake: (credits, chance) => Math.max(10, Math.round(credits * (0.03 + 0.04 * chance.next()))),
  },
  {
    name: 'counter',
    share: 18,
    appetite: 16,
    sitting: 4,
    likes: kindIs('total'),
    stake: (_, chance) => 10 * chance.between(2, 9),
  },
  {
    name: 'dreamer',
    share: 14,
    appetite: 20,
    sitting: 5,
    likes: isOutsider,
    stake: (credits, chance) => Math.max(5, Math.round(credits * 0.06 * chance.next())),
  },
  {
    name: 'bold',
    share: 8,
    appetite: 9,
    sitting: 2,
    likes: () => true,
    stake: (credits, chance) => Math.round(credits * (0.2 + 0.3 * chance.next())),
  },
  {
    name: 'all-in',
    share: 4,
    appetite: 4,
    sitting: 1,
    likes: (option) => option.market.kind === 'moneyline' && isEarly(option),
    stake: (credits) => credits,
  },
];

/** Somebody who plays, and the app in their hand. */
export interface Player {
  readonly handle: string;
  readonly client: HttpClient;
  readonly temperament: Temperament;
  readonly chance: Chance;
}

/** The temperament of the n-th of all players: the shares hold for any number of them. */
export function temperamentOf(index: number): Temperament {
  // 37 and 100 have no common divisor, so 100 players in a row take each of the hundred places once.
  let place = (index * 37) % 100;
  for (const temperament of TEMPERAMENTS) {
    if (place < temperament.share) return temperament;
    place -= temperament.share;
  }
  throw new Error('the shares of the temperaments are not 100 together');
}

/** What a player wants to bet on now: mostly what they like, now and then anything. */
export function choose({ chance, temperament }: Player, options: readonly Option[]): Option {
  const liked = options.filter(temperament.likes);
  return chance.pick(liked.length === 0 || chance.happens(0.15) ? options : liked);
}

/** How often a bet is a parlay, and how many legs it has at most. */
const PARLAYS = 0.12;
const MOST_LEGS = 4;

/** What a player bets on at once: mostly one thing, now and then several games together. */
export function chooseSlip(player: Player, options: readonly Option[]): Option[] {
  const legs = [choose(player, options)];
  const { chance, temperament } = player;
  if (temperament.sitting === 1 || !chance.happens(PARLAYS)) return legs;
  for (let left = chance.between(1, MOST_LEGS - 1); left > 0; left -= 1) {
    const others = options.filter(({ game }) => legs.every((leg) => leg.game.id !== game.id));
    if (others.length > 0) legs.push(choose(player, others));
  }
  return legs;
}

/** The stake for a bet: within what the player has and the rules allow; 0 when there is too little left. */
export function stakeOf({ chance, temperament }: Player, credits: number, maxStake: number): number {
  return Math.min(temperament.stake(credits, chance), credits, maxStake);
}

/** Everything that can be bet on in games that have not begun. */
export function optionsOf(slate: readonly GameDto[]): Option[] {
  return slate
    .filter(({ status }) => status === 'scheduled')
    .flatMap((game) =>
      game.markets
        .filter(({ status }) => status === 'open')
        .flatMap((market) => market.prices.map((price) => ({ game, market, price }))),
    );
}
