import { createHash } from 'node:crypto';
import type { ReplayRules } from '../../../../platform/config/sport-rules.js';
import type { Clock } from '../../../../platform/clock/clock.js';
import type { FeedGame, FeedOdds, FeedResult, FeedScore, SportsFeed } from '../sports-feed.js';
import { marketsBefore } from './replay-prices.js';
import { standAfter } from './replay-scores.js';
import type { ReplayGame } from './replay-season.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** For which ends are told. */
const RESULTS_MS = 7 * 24 * HOUR_MS;

/**
 * A past season, played by the clock: every so many minutes its next game begins. All of it follows from the time alone, so that any
 * process tells the same at the same time. Closing prices and ends are real; what lies before them is made up.
 */
export class ReplayFeed implements SportsFeed {
  readonly source = 'replay';
  /** Of which games its slots are: with others, or slots of another length, each is another game and has another id. */
  private readonly edition: string;

  constructor(
    private readonly season: readonly ReplayGame[],
    private readonly rules: ReplayRules,
    private readonly clock: Pick<Clock, 'now'>,
  ) {
    const games = season.map(({ externalId }) => externalId);
    const text = JSON.stringify([rules.everyMinutes, games]);
    this.edition = createHash('sha256').update(text).digest('hex').slice(0, 8);
  }

  async schedule(): Promise<readonly FeedGame[]> {
    return this.upcoming().map((slot) => {
      const { sport, league, season, homeTeam, awayTeam, neutral } = this.gameOf(slot);
      return {
        externalId: this.idOf(slot),
        sport,
        league,
        season,
        homeTeam,
        awayTeam,
        startsAt: new Date(this.startOf(slot)),
        neutral,
      };
    });
  }

  async odds(): Promise<readonly FeedOdds[]> {
    const now = this.now;
    return this.upcoming().map((slot) => ({
      externalId: this.idOf(slot),
      markets: marketsBefore(
        this.gameOf(slot),
        slot,
        this.startOf(slot) - now,
        this.rules.horizonHours * HOUR_MS,
      ),
    }));
  }

  async scores(): Promise<readonly FeedScore[]> {
    const now = this.now;
    return this.slots(now - this.playMs, now).map((slot) => ({
      externalId: this.idOf(slot),
      ...standAfter(this.gameOf(slot), slot, (now - this.startOf(slot)) / this.playMs),
    }));
  }

  async results(): Promise<readonly FeedResult[]> {
    const now = this.now;
    return this.slots(now - RESULTS_MS, now - this.playMs).map((slot) => ({
      externalId: this.idOf(slot),
      status: 'final',
      ...standAfter(this.gameOf(slot), slot, 1),
    }));
  }

  private get now(): number {
    return this.clock.now().getTime();
  }

  private get playMs(): number {
    return this.rules.playMinutes * MINUTE_MS;
  }

  private upcoming(): number[] {
    return this.slots(this.now, this.now + this.rules.horizonHours * HOUR_MS);
  }

  /** The slots that start after `from`, up to `to`. */
  private slots(from: number, to: number): number[] {
    const every = this.rules.everyMinutes * MINUTE_MS;
    const first = Math.floor(from / every) + 1;
    const last = Math.floor(to / every);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  }

  private startOf(slot: number): number {
    return slot * this.rules.everyMinutes * MINUTE_MS;
  }

  private idOf(slot: number): string {
    return `replay-${this.edition}-${slot}`;
  }

  private gameOf(slot: number): ReplayGame {
    const { season } = this;
    const game = season[((slot % season.length) + season.length) % season.length];
    if (game === undefined) throw new Error('a season without games cannot be replayed');
    return game;
  }
}
