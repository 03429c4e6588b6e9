import { io, type Socket } from 'socket.io-client';
import type { Answer, Client } from './client.js';

/** What comes as JSON. */
export type Json = Answer['data'];

interface Told {
  readonly event: string;
  readonly payload: Json;
}

/**
 * A client of `/odds` as the documentation tells one to be written: it applies a message only when it is where the message goes on
 * from, and asks again for the rest when it is not.
 */
export class OddsFollower {
  readonly games = new Map<string, Json>();
  readonly told: Told[] = [];
  /** How often it had to ask again. */
  gaps = 0;

  private constructor(readonly socket: Socket) {
    for (const event of ['odds:changed', 'market:status', 'game:status'])
      socket.on(event, (payload) => this.hear({ event, payload }));
    socket.on('odds:snapshot', (game) => {
      this.told.push({ event: 'odds:snapshot', payload: game });
      this.games.set(game.id, game);
    });
  }

  static async connect(url: string, { token }: Client): Promise<OddsFollower> {
    const options = { auth: { token }, transports: ['websocket'], reconnection: false, forceNew: true };
    const socket = io(new URL('/odds', url).href, options);
    const follower = new OddsFollower(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('connect_error', (error: Error & { data?: { code: string } }) =>
        reject(new Error(error.data?.code ?? error.message)),
      );
    });
    return follower;
  }

  /** The envelope of the acknowledgement; what it brings is applied. */
  async subscribe(body: unknown): Promise<Json> {
    return await this.ask('subscribe', body, ({ success, data }) => {
      if (!success) return;
      for (const game of data.snapshots) this.games.set(game.id, game);
      for (const { gameId, from, seq, stand, markets, prices } of data.changes)
        this.apply({ gameId, from, seq, ...stand, markets, prices });
    });
  }

  /** `atOnce` sees the answer before any message that came behind it; whoever awaits it may be late for those. */
  async ask(event: string, body: unknown, atOnce: (answer: Json) => void = () => undefined): Promise<Json> {
    return await new Promise((resolve, reject) => {
      this.socket.timeout(10_000).emit(event, body, (error: Error | null, answer: Json) => {
        if (error) return reject(error);
        atOnce(answer);
        resolve(answer);
      });
    });
  }

  /** What it knows, in an order of its own. */
  known(id: string): Json {
    return ordered(this.games.get(id));
  }

  close(): void {
    this.socket.close();
  }

  private hear(told: Told): void {
    this.told.push(told);
    if (this.apply(told.payload)) return;
    this.gaps += 1;
    const { gameId } = told.payload;
    this.subscribe({ games: [gameId], after: { [gameId]: this.games.get(gameId)?.seq ?? 0 } }).catch(
      () => undefined,
    );
  }

  private apply({ gameId, from, seq, markets = [], prices = [], ...stand }: Json): boolean {
    const game = this.games.get(gameId);
    if (game?.seq !== from) return false;
    const all = new Map<string, Json>(game.markets.map((market: Json) => [market.id, market]));
    for (const market of markets) all.set(market.id, market);
    for (const { marketId, ...price } of prices) {
      const market = all.get(marketId);
      const others = market.prices.filter((each: Json) => each.outcome !== price.outcome);
      all.set(marketId, { ...market, prices: [...others, price] });
    }
    this.games.set(gameId, { ...game, ...stand, seq, markets: [...all.values()] });
    return true;
  }
}

/** A game with its markets by id and their prices by outcome, to compare. */
export function ordered(game: Json): Json {
  const by = (key: string) => (one: Json, other: Json) => String(one[key]).localeCompare(String(other[key]));
  return {
    ...game,
    markets: game.markets
      .map((market: Json) => ({ ...market, prices: market.prices.toSorted(by('outcome')) }))
      .toSorted(by('id')),
  };
}
