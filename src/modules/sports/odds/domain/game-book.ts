/** A current price, as clients see it. */
export interface PriceView {
  readonly outcome: string;
  readonly oddsId: string;
  readonly american: number | null;
  readonly decimal: string;
}

/** What of a game itself changes while it is followed. */
export interface StandView {
  readonly startsAt: string;
  readonly status: string;
  readonly homeScore: number | null;
  readonly awayScore: number | null;
  readonly periods: readonly (readonly [number, number])[] | null;
  readonly resultConfirmed: boolean;
}

export interface MarketView {
  readonly id: string;
  readonly prices: readonly PriceView[];
}

/** A game as `GET games/:id` answers it. */
export interface GameView extends StandView {
  readonly id: string;
  readonly sport: string;
  readonly league: string;
  readonly seq: number;
  readonly markets: readonly MarketView[];
}

/** The same with the number of its game's changes at which each market and each price changed last. */
export type NumberedPrice = PriceView & { readonly seq: number };
export type NumberedMarket = Omit<MarketView, 'prices'> & {
  readonly seq: number;
  readonly prices: readonly NumberedPrice[];
};
export type NumberedGame = Omit<GameView, 'markets'> & { readonly markets: readonly NumberedMarket[] };

/** A price that has moved. */
export interface PriceMove extends PriceView {
  readonly marketId: string;
}

/** Prices of a game that were taken in one call: change number `seq`, the one after `seq - 1`. */
export interface PriceChanges {
  readonly gameId: string;
  readonly seq: number;
  readonly prices: readonly PriceMove[];
}

/** What has changed of a game after change number `from`, up to `seq`, as it is now. */
export interface GameDelta {
  readonly gameId: string;
  readonly from: number;
  readonly seq: number;
  /** Null when nothing of it has changed. */
  readonly stand: StandView | null;
  /** Markets that are new or in another state, with their prices. */
  readonly markets: readonly MarketView[];
  /** Prices that have moved in the other ones. */
  readonly prices: readonly PriceMove[];
}

/**
 * What a process knows of a game that its sockets follow. Numbers have no gaps, so that whoever knows the game up to one of them
 * can be told exactly what came after it; of what changed several times the last counts.
 */
export class GameBook {
  /** Whether it starts in the span in which games are followed with their sport and league; kept by who keeps the book. */
  near = false;
  private game: NumberedGame;
  private markets: Map<string, KeptMarket>;
  /** The number at which the stand changed last, as far as is known. */
  private standSeq: number;
  /** Up to where those who follow it have been told. */
  private told: number;

  constructor(read: NumberedGame) {
    this.game = read;
    this.markets = marketsOf(read);
    this.standSeq = read.seq;
    this.told = read.seq;
  }

  get id(): string {
    return this.game.id;
  }

  get sport(): string {
    return this.game.sport;
  }

  get league(): string {
    return this.game.league;
  }

  get startsAt(): string {
    return this.game.startsAt;
  }

  get seq(): number {
    return this.game.seq;
  }

  /** Takes over prices that come next. `missing` when something before them is not known here: then the game is read anew. */
  take({ seq, prices }: PriceChanges): 'taken' | 'known' | 'missing' {
    if (seq <= this.seq) return 'known';
    if (seq !== this.seq + 1) return 'missing';
    if (!prices.every(({ marketId, outcome }) => this.markets.get(marketId)?.prices.has(outcome)))
      return 'missing';
    for (const { marketId, outcome, oddsId, american, decimal } of prices) {
      // Written over and not replaced: thousands of new ones a second, each of which stays until the next, fill the old generation.
      const price = this.markets.get(marketId)?.prices.get(outcome);
      if (price) Object.assign(price, { oddsId, american, decimal, seq });
    }
    this.game = { ...this.game, seq };
    return 'taken';
  }

  /** Takes over the game as it was read; whether that was newer. */
  replace(read: NumberedGame): boolean {
    if (read.seq <= this.seq) return false;
    if (JSON.stringify(standOf(read)) !== JSON.stringify(standOf(this.game))) this.standSeq = read.seq;
    this.game = read;
    this.markets = marketsOf(read);
    return true;
  }

  snapshot(): GameView {
    return { ...this.game, markets: [...this.markets.values()].map(viewOf) };
  }

  since(from: number): GameDelta {
    const all = [...this.markets.values()];
    return {
      gameId: this.id,
      from,
      seq: this.seq,
      stand: this.standSeq > from ? standOf(this.game) : null,
      markets: all.filter(({ market }) => market.seq > from).map(viewOf),
      prices: all
        .filter(({ market }) => market.seq <= from)
        .flatMap(({ market, prices }) =>
          [...prices.values()]
            .filter(({ seq }) => seq > from)
            .map((price) => ({ marketId: market.id, ...priceOf(price) })),
        ),
    };
  }

  /** What those who follow it have not been told yet, who are taken to be told now; null when there is nothing. */
  tell(): GameDelta | null {
    if (this.told === this.seq) return null;
    const delta = this.since(this.told);
    this.told = this.seq;
    return delta;
  }
}

interface KeptMarket {
  readonly market: NumberedMarket;
  /** Its prices as they are, by their outcomes: the book's own. */
  readonly prices: ReadonlyMap<string, NumberedPrice>;
}

function marketsOf({ markets }: NumberedGame): Map<string, KeptMarket> {
  return new Map(
    markets.map((market) => [
      market.id,
      { market, prices: new Map(market.prices.map((price) => [price.outcome, { ...price }])) },
    ]),
  );
}

function viewOf({ market, prices }: KeptMarket): MarketView {
  const view = { ...market, prices: [...prices.values()].map(priceOf) };
  Reflect.deleteProperty(view, 'seq');
  return view;
}

function priceOf({ outcome, oddsId, american, decimal }: NumberedPrice): PriceView {
  return { outcome, oddsId, american, decimal };
}

function standOf({ startsAt, status, homeScore, awayScore, periods, resultConfirmed }: StandView): StandView {
  return { startsAt, status, homeScore, awayScore, periods, resultConfirmed };
}

export interface ToldMessage {
  readonly event: 'game:status' | 'market:status' | 'odds:changed';
  readonly payload: object;
}

/**
 * The messages that tell a change. The last of them alone takes the client on to `seq`: who has not seen it is still at `from`, and
 * is told all of it again when they ask.
 */
export function messagesOf({ gameId, from, seq, stand, markets, prices }: GameDelta): ToldMessage[] {
  const parts: { event: ToldMessage['event']; payload: object }[] = [
    ...(stand === null ? [] : [{ event: 'game:status' as const, payload: { ...stand } }]),
    ...(markets.length === 0 ? [] : [{ event: 'market:status' as const, payload: { markets } }]),
  ];
  // Also a change of which nothing is to be seen takes everybody on.
  if (prices.length > 0 || parts.length === 0) parts.push({ event: 'odds:changed', payload: { prices } });
  return parts.map(({ event, payload }, index) => ({
    event,
    payload: { ...payload, gameId, from, seq: index === parts.length - 1 ? seq : from },
  }));
}
