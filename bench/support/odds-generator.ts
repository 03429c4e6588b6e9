import { setTimeout as sleep } from 'node:timers/promises';
import type { PriceTaken } from '../../src/modules/sports/odds/odds-intake.service.js';
import { changesOf, type Intake, openIntake, type PricedMarket, take } from './odds-intake.js';

/** How often what has become due is taken, as a feed's answer comes in pieces. */
const EVERY_MS = 20;

/** Whom to tell, and the markets whose prices change. */
export interface GeneratorOrder {
  databaseUrl: string;
  redisUrl: string;
  prefix: string;
  markets: PricedMarket[];
}

/** Takes changes at an even rate, and tells when each game's number was due and when it was published. */
export interface GeneratorRound {
  perSecond: number;
  seconds: number;
}

export interface Publication {
  gameId: string;
  seq: number;
  changes: number;
  due: number;
  published: number;
}

const now = () => performance.timeOrigin + performance.now();
let publications: Publication[] = [];
let due = 0;
let intake: Intake | undefined;
let changes: Iterator<PriceTaken, never> | undefined;

process.on('message', (message: GeneratorOrder | GeneratorRound) => {
  const done = 'markets' in message ? open(message) : generate(message);
  done.catch((error: unknown) => {
    throw error;
  });
});

async function open({ markets, ...where }: GeneratorOrder): Promise<void> {
  changes = changesOf(markets);
  intake = await openIntake(where, ({ prices = [] }) => {
    const published = now();
    for (const { gameId, seq, prices: moved } of prices)
      publications.push({ gameId, seq, changes: moved.length, due, published });
  });
  process.send?.('ready');
}

async function generate({ perSecond, seconds }: GeneratorRound): Promise<void> {
  if (!intake || !changes) throw new Error('nothing was opened');
  const began = now();
  let sent = 0;
  while (sent < perSecond * seconds) {
    const owed = Math.floor(((now() - began) * perSecond) / 1000) - sent;
    due = now();
    if (owed > 0) await intake.service.take(take(changes, owed), []);
    sent += Math.max(owed, 0);
    await sleep(Math.max(1, EVERY_MS - (now() - due)));
  }
  process.send?.(publications, () => {
    publications = [];
    // What a round leaves behind is not collected in the next one.
    globalThis.gc?.();
  });
}
