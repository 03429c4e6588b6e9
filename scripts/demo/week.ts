import type { TableRowDto } from '../../src/modules/pools/dto/weeks.dto.js';
import type { GameDto } from '../../src/modules/sports/dto/games.dto.js';
import { buyBacks } from './buy-backs.js';
import { Chance } from './chance.js';
import { betTooLate, misbehave, type Scene } from './mischief.js';
import { type Option, optionsOf } from './players.js';
import { count, type DrawnWeek } from './sign-up.js';
import { sitDown } from './sitting.js';
import { eventually, type Stage, weekIs } from './stage.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** From the kick-off of an NFL game to its end. */
const GAME_MS = 3.5 * HOUR_MS;
/** When people bet: so long before games begin. */
const BEFORE_KICK_OFF_MS = [26 * HOUR_MS, 4 * HOUR_MS, 20 * MINUTE_MS];
/** Two times of betting that are closer than this are one. */
const SAME_SITTING_MS = 25 * MINUTE_MS;
const MISDEEDS_PER_SITTING = 6;
const LATE_BETS_PER_KICK_OFF = 4;
const TABLE_PAGE = 100;

type Table = readonly TableRowDto[];

/** Something that happens in the week, at a time of the clock. */
interface Moment {
  readonly at: number;
  readonly kind: 'sitting' | 'kick-off' | 'final';
  /** Those that begin or end; none of a sitting. */
  readonly games: readonly GameDto[];
}

export interface PlayedWeek {
  /** The settled tables, by pool id. */
  readonly tables: ReadonlyMap<string, Table>;
  readonly games: number;
}

/** Plays the week from Monday 00:00 to the next: bets, kick-offs, results, in the order of their real times. */
export async function playWeek(stage: Stage, drawn: DrawnWeek): Promise<PlayedWeek> {
  return await new WeekPlay(stage, drawn).play();
}

class WeekPlay {
  private readonly scene: Omit<Scene, 'options' | 'foreign'>;
  private readonly finished = new Set<string>();
  /** Prices shown before the kick-off, by game: what a late bet is tried with. */
  private readonly shown = new Map<string, Option[]>();
  private readonly leaders = new Map<string, string>();
  private foreign: GameDto | undefined;

  constructor(
    private readonly stage: Stage,
    private readonly drawn: DrawnWeek,
  ) {
    const { admin, records, rules, options } = stage;
    const { players, spectator } = drawn;
    const chance = new Chance(`${options.seed} mischief`);
    this.scene = { players, spectator, admin, chance, records, maxStake: rules.maxStake };
  }

  async play(): Promise<PlayedWeek> {
    const { stage, drawn } = this;
    const { week } = drawn;
    const slate = await this.slate(`from=${week.startsAt}&to=${week.endsAt}`);
    const [after] = await this.slate(`from=${week.endsAt}`);
    const [before] = await this.slate(`to=${week.startsAt}`);
    this.foreign = after ?? before;
    const moments = timeline(slate, Date.parse(week.startsAt));
    const sittings = moments.filter(({ kind }) => kind === 'sitting').length;
    for (const moment of moments) {
      await stage.clock.moveTo(moment.at);
      if (moment.kind === 'sitting') await stage.meter.time('bets', () => this.sitting(moment, sittings));
      else if (moment.kind === 'kick-off') await stage.meter.time('kick-offs', () => this.kickOff(moment));
      else {
        const tables = await stage.meter.time('results', () => this.final(moment));
        const rows = [...tables.values()].flat();
        if (moment.at <= Date.parse(week.buyBackUntil)) await buyBacks(stage, drawn.players, rows);
      }
    }
    return await stage.meter.time('close', async () => {
      await stage.clock.moveTo(Date.parse(week.endsAt));
      await weekIs(stage, 'settled');
      stage.screen.line(`${stage.clock.text()}  the week is closed and settled`);
      return { tables: await this.readTables(), games: slate.length };
    });
  }

  private async sitting({ at }: Moment, sittings: number): Promise<void> {
    const { stage, drawn, scene } = this;
    const slatePath = `games?from=${new Date(at).toISOString()}&to=${drawn.week.endsAt}&limit=100`;
    await sitDown(stage, drawn.players, { slatePath, sittings });
    const options = optionsOf(await stage.admin.ask<GameDto[]>('GET', slatePath));
    for (const [id, of] of Map.groupBy(options, ({ game }) => game.id)) this.shown.set(id, of);
    await misbehave({ ...scene, options, foreign: this.foreign }, MISDEEDS_PER_SITTING);
    stage.screen.line(`${stage.clock.text()}  ${count(stage.records.bets.size)} bets are in`);
  }

  private async kickOff({ games }: Moment): Promise<void> {
    const { stage, scene } = this;
    await eventually(stage.lifetime, 'The kick-off', async () => {
      const now = await Promise.all(games.map(({ id }) => stage.admin.ask<GameDto>('GET', `games/${id}`)));
      return now.every(({ status }) => status === 'in_progress') || null;
    });
    const options = games.flatMap(({ id }) => this.shown.get(id) ?? []);
    await betTooLate({ ...scene, options, foreign: this.foreign }, LATE_BETS_PER_KICK_OFF);
    const pairs = games.map(({ awayTeam, homeTeam }) => `${awayTeam} at ${homeTeam}`);
    stage.screen.line(`${stage.clock.text()}  kick-off: ${pairs.join(', ')}`);
  }

  private async final({ games }: Moment): Promise<ReadonlyMap<string, Table>> {
    const { stage, finished } = this;
    const { records, screen, clock, options, admin } = stage;
    const openBefore = records.openBets(finished, options.season.scores);
    const results: string[] = [];
    for (const { id, externalId, homeTeam, awayTeam } of games) {
      const score = options.season.scores.get(externalId);
      if (!score) throw new Error(`${options.season.file} has no score of ${externalId}: play another week.`);
      const body = { status: 'final', homeScore: score.home, awayScore: score.away };
      await admin.ask('POST', `admin/games/${id}/result`, { body });
      finished.add(id);
      results.push(`${awayTeam} ${score.away}–${score.home} ${homeTeam}`);
    }
    const open = records.openBets(finished, options.season.scores);
    const tables = await eventually(stage.lifetime, 'The settlement', async () => {
      const now = await this.readTables();
      const left = [...now.values()].flat().reduce((sum, { betsOpen }) => sum + betsOpen, 0);
      screen.update(`Settling … ${count(left - open)} bets left`);
      return left === open ? now : null;
    });
    screen.update('');
    screen.line(`${clock.text()}  final: ${results.join(', ')}`);
    screen.line(`${INDENT}${count(openBefore - open)} bets settled`);
    this.tellLeaders(tables);
    return tables;
  }

  /** Says who leads where that has changed. */
  private tellLeaders(tables: ReadonlyMap<string, Table>): void {
    for (const { id, name } of this.drawn.pools) {
      const first = tables.get(id)?.filter(({ rank }) => rank === 1) ?? [];
      const names =
        first.length > 3 ? `${first.length} players` : first.map(({ handle }) => handle).join(' and ');
      if (this.leaders.get(id) === names) continue;
      const before = this.leaders.get(id);
      this.leaders.set(id, names);
      const lead = `${names} ${first.length === 1 ? 'leads' : 'lead'} with ${count(first[0]?.credits ?? 0)}`;
      this.stage.screen.line(`${INDENT}${name}: ${lead}${before === undefined ? '' : `, before ${before}`}`);
    }
  }

  private async readTables(): Promise<Map<string, Table>> {
    const { admin, options } = this.stage;
    const tables = new Map<string, Table>();
    for (const { id, size } of this.drawn.pools) {
      const rows: TableRowDto[] = [];
      for (let page = 1; rows.length < size; page += 1) {
        const path = `weeks/${options.week}/pools/${id}/leaderboard?limit=${TABLE_PAGE}&page=${page}`;
        const more = await admin.ask<TableRowDto[]>('GET', path);
        if (more.length === 0)
          throw new Error(`the table of pool ${id} ends after ${rows.length} of ${size}`);
        rows.push(...more);
      }
      tables.set(id, rows);
    }
    return tables;
  }

  private async slate(query: string): Promise<GameDto[]> {
    return await this.stage.admin.all<GameDto>(`games?${query}&limit=100`);
  }
}

/** Under the time of a line. */
const INDENT = ' '.repeat(18);

/** All that happens, by time; at one time games end before others begin, and people bet before either. */
function timeline(slate: readonly GameDto[], startsAt: number): Moment[] {
  const slots = [...Map.groupBy(slate, (game) => Date.parse(game.startsAt))];
  const games = slots.flatMap(([at, of]): Moment[] => [
    { at: at + GAME_MS, kind: 'final', games: of },
    { at, kind: 'kick-off', games: of },
  ]);
  const times = slots
    .flatMap(([at]) => BEFORE_KICK_OFF_MS.map((before) => at - before))
    .toSorted((a, b) => a - b);
  let last = startsAt;
  const sittings = times.flatMap((at): Moment[] => {
    if (at - last < SAME_SITTING_MS) return [];
    last = at;
    return [{ at, kind: 'sitting', games: [] }];
  });
  return [...sittings, ...games].toSorted((a, b) => a.at - b.at);
}
