import type { Clock } from '../../../../platform/clock/clock.js';
import type { AppConfig } from '../../../../platform/config/app-config.js';
import type {
  OddsApiRules,
  OddsApiSeconds,
  OddsApiSport,
} from '../../../../platform/config/odds-api-rules.js';
import type { Rules } from '../../../../platform/config/rules.js';
import type { FeedProblem, FeedQuota } from '../feed-problem.js';
import { FeedSilence } from '../feed-silence.js';
import type { FeedGame, FeedOdds, FeedResult, FeedScore, HeldLines, SportsFeed } from '../sports-feed.js';
import { BegunGames } from './begun-games.js';
import { OddsApiClient, UnknownThere } from './odds-api-client.js';
import { gameOf, priceEvent } from './read-odds.js';
import { readScore } from './read-scores.js';
import { readEvent, type WireEvent } from './wire.js';

type Kind = keyof OddsApiSeconds;

/** What the sports that answered have told; one that said that nothing has changed tells its last answer once more. */
type Told = readonly { readonly sport: OddsApiSport; readonly events: readonly WireEvent[] }[];

const ISO = { dateFormat: 'iso' };
/** Of an interval: a poll that comes so much early is not put off by a whole one. */
const SLACK = 0.9;

/**
 * The Odds API v4 (https://the-odds-api.com/liveapi/guides/v4/). Its sports are asked side by side; one that does not answer is absent
 * from what is told, and its games grow old; only when none answers is the feed silent. Asked sooner than is configured it has nothing
 * new to say; while few credits are left it keeps its silence in between, so that old prices count as old. What has not changed is told
 * at every answer: nothing is lost that could not be stored, and a price that no bookmaker confirms any longer is not told for ever.
 */
export class OddsApiFeed implements SportsFeed {
  readonly source = 'odds-api';
  readonly everySeconds: OddsApiSeconds;
  private readonly rules: OddsApiRules;
  private readonly client: OddsApiClient;
  private readonly begun: BegunGames;
  /** What a sport told last, for when nothing has changed since. */
  private readonly last = new Map<string, readonly WireEvent[]>();
  private readonly answeredAt = new Map<Kind, number>();
  /** Of two lines that as many bookmakers have the one that is offered stays. */
  private held: HeldLines = async () => [];
  /** By what they are of, so that what nobody fetches does not pile up. */
  private readonly found = new Map<string, FeedProblem>();

  constructor(
    config: AppConfig,
    private readonly allRules: Rules,
    private readonly clock: Clock,
  ) {
    if (config.ODDS_API_KEY === undefined) throw new Error('the feed odds-api needs ODDS_API_KEY');
    this.rules = allRules.sports.oddsApi;
    this.everySeconds = this.rules.everySeconds;
    this.client = new OddsApiClient(config.ODDS_API_URL, config.ODDS_API_KEY, this.rules.spentPauseSeconds);
    this.begun = new BegunGames(this.rules.daysFrom);
  }

  begin(held: HeldLines): void {
    this.held = held;
    this.answeredAt.clear();
    this.client.forget();
  }

  async schedule(signal: AbortSignal): Promise<readonly FeedGame[] | null> {
    const told = await this.ask('schedule', 'events', ISO, this.rules.sports, signal);
    return told?.flatMap(({ sport, events }) => events.map((event) => gameOf(event, sport))) ?? null;
  }

  async odds(signal: AbortSignal): Promise<readonly FeedOdds[] | null> {
    const { regions, markets } = this.rules;
    const query = { ...ISO, regions: regions.join(','), markets: markets.join(','), oddsFormat: 'decimal' };
    const told = await this.ask('odds', 'odds', query, this.rules.sports, signal);
    if (told === null) return null;
    const lines = new Map(
      (await this.held()).map(({ externalId, kind, line }) => [lineName(externalId, kind), Number(line) * 4]),
    );
    const { overroundMin, overroundMax } = this.allRules.sports.checks;
    const { bookmakers, excluded, priceMaxAgeSeconds } = this.rules;
    const rules = { bookmakers, excluded, priceMaxAgeSeconds, overroundMin, overroundMax };
    return told.flatMap(({ sport, events }) =>
      events.map((event) => {
        const current = (kind: string) => lines.get(lineName(event.id, kind)) ?? null;
        const { odds, problems } = priceEvent(event, sport, rules, this.clock.now(), current);
        problems.forEach((problem) => this.note(problem));
        return odds;
      }),
    );
  }

  async scores(signal: AbortSignal): Promise<readonly FeedScore[] | null> {
    const now = this.clock.now();
    const sports = this.rules.sports.filter(({ key }) => this.begun.hasLive(key, now));
    const read = this.readScores(await this.ask('scores', 'scores', ISO, sports, signal));
    return read?.flatMap((one) => (one && 'score' in one ? [one.score] : [])) ?? null;
  }

  async results(signal: AbortSignal): Promise<readonly FeedResult[] | null> {
    const now = this.clock.now();
    const sports = this.rules.sports.filter(({ key }) => this.begun.hasResults(key, now));
    const query = { ...ISO, daysFrom: String(this.rules.daysFrom) };
    const told = await this.ask('results', 'scores', query, sports, signal);
    for (const { sport } of told ?? []) this.begun.looked(sport.key, now);
    return this.readScores(told)?.flatMap((one) => (one && 'result' in one ? [one.result] : [])) ?? null;
  }

  problems(): readonly FeedProblem[] {
    const found = [...this.found.values()];
    this.found.clear();
    return found;
  }

  status(): FeedQuota | null {
    return this.client.quota;
  }

  private readScores(told: Told | null): ReturnType<typeof readScore>[] | null {
    if (told === null) return null;
    return told.flatMap(({ sport, events }) =>
      events.map((event) => {
        const read = readScore(event);
        if (read && 'problem' in read) this.note(read.problem);
        if (read && 'result' in read) this.begun.isOver(sport.key, event.id);
        return read;
      }),
    );
  }

  /** Null when it is too early to ask. */
  private async ask(
    kind: Kind,
    what: string,
    query: Readonly<Record<string, string>>,
    sports: readonly OddsApiSport[],
    signal: AbortSignal,
  ): Promise<Told | null> {
    if (this.isEarly(kind)) return null;
    const silences: { sport: OddsApiSport; silence: FeedSilence }[] = [];
    const asked = sports.map(async (sport) => {
      try {
        const list = await this.client.get(`/v4/sports/${sport.key}/${what}`, query, signal);
        return [{ sport, events: this.eventsOf(kind, sport, list) }];
      } catch (error) {
        if (error instanceof UnknownThere) this.note(sportProblem(sport, 'SPORT_UNKNOWN', error.message));
        else if (error instanceof FeedSilence) silences.push({ sport, silence: error });
        else throw error;
        return [];
      }
    });
    const told: Told = (await Promise.all(asked)).flat();
    const [first] = silences;
    if (first && told.length === 0) throw first.silence;
    if (sports.length > 0 && told.length === 0)
      throw new FeedSilence(`no ${kind}: the provider has none of the sports`);
    for (const { sport, silence } of silences)
      this.note(sportProblem(sport, 'SPORT_SILENT', silence.message));
    this.answeredAt.set(kind, performance.now());
    return told;
  }

  private eventsOf(kind: Kind, sport: OddsApiSport, list: readonly unknown[] | null): readonly WireEvent[] {
    const name = `${kind} ${sport.key}`;
    if (list === null) return this.last.get(name) ?? [];
    const events = list.flatMap((value) => readEvent(value) ?? []);
    if (events.length < list.length)
      this.note(sportProblem(sport, 'UNREADABLE', `${list.length - events.length} of ${list.length} events`));
    this.last.set(name, events);
    this.begun.learn(sport.key, events, this.clock.now());
    return events;
  }

  private note(problem: FeedProblem): void {
    this.found.set([problem.externalId, problem.subject, problem.reason].join(' '), problem);
  }

  /** Throws {@link FeedSilence} between two questions that few credits have put further apart. */
  private isEarly(kind: Kind): boolean {
    const since = (performance.now() - (this.answeredAt.get(kind) ?? -Infinity)) / 1000;
    const every = this.everySeconds[kind];
    if (since < every * SLACK) return true;
    const quota = this.client.quota;
    const isShort = kind !== 'schedule' && quota !== null && quota.remaining < this.rules.quotaReserve;
    const wait = every * this.rules.slowerBy * SLACK - since;
    if (!isShort || wait <= 0) return false;
    const said = `${quota.remaining} credits are left, fewer than ${this.rules.quotaReserve}: ${kind} are asked for seldom`;
    throw new FeedSilence(said, Math.ceil(wait));
  }
}

function lineName(externalId: string, kind: string): string {
  return `${externalId} ${kind}`;
}

function sportProblem(
  { key }: OddsApiSport,
  reason: 'SPORT_UNKNOWN' | 'SPORT_SILENT' | 'UNREADABLE',
  said: string,
): FeedProblem {
  return { kind: 'game', externalId: null, subject: key, reason, details: { said } };
}
