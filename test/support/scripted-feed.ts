import type {
  FeedGame,
  FeedMarket,
  FeedOdds,
  FeedResult,
  FeedScore,
  HeldLines,
  SportsFeed,
} from '../../src/modules/sports/feeds/sports-feed.js';

/** A feed that says what a test lets it say, and counts how often it is asked. */
export class ScriptedFeed implements SportsFeed {
  says: {
    schedule: readonly FeedGame[] | null;
    odds: readonly FeedOdds[] | null;
    scores: readonly FeedScore[] | null;
    results: readonly FeedResult[] | null;
  } = { schedule: [], odds: [], scores: [], results: [] };
  asked = { schedule: 0, odds: 0, scores: 0, results: 0 };
  /** Thrown in place of an answer. */
  error: Error | null = null;
  /** Never answers, and heeds no signal. */
  hangs = false;
  /** How often it was taken up. */
  begun = 0;
  /** What it may look up since it was taken up last. */
  held: HeldLines = async () => [];

  constructor(readonly source: string) {}

  begin(held: HeldLines): void {
    this.begun += 1;
    this.held = held;
  }

  schedule = async () => this.answer('schedule');
  odds = async () => this.answer('odds');
  scores = async () => this.answer('scores');
  results = async () => this.answer('results');

  private async answer<K extends keyof ScriptedFeed['says']>(kind: K): Promise<ScriptedFeed['says'][K]> {
    this.asked[kind] += 1;
    if (this.hangs) return await new Promise(() => undefined);
    if (this.error) throw this.error;
    return this.says[kind];
  }
}

export const aGame = (externalId: string, startsAt: string, changes: Partial<FeedGame> = {}): FeedGame => ({
  externalId,
  sport: 'american_football',
  league: 'NFL',
  season: '2023',
  homeTeam: `H-${externalId}`,
  awayTeam: `A-${externalId}`,
  startsAt: new Date(startsAt),
  neutral: false,
  ...changes,
});

const american = (names: [string, string], prices: [number, number]) =>
  names.map((outcome, index) => ({ outcome, american: prices[index]! }));

export const moneyline = (home = -150, away = 130): FeedMarket => ({
  kind: 'moneyline',
  line: null,
  prices: american(['home', 'away'], [home, away]),
});
export const spread = (line = '-3', home = -110, away = -110): FeedMarket => ({
  kind: 'spread',
  line,
  prices: american(['home', 'away'], [home, away]),
});
export const total = (line = '45.5', over = -110, under = -110): FeedMarket => ({
  kind: 'total',
  line,
  prices: american(['over', 'under'], [over, under]),
});
