import type { BetDto } from '../../src/modules/bets/dto/bets.dto.js';
import type { PrizeDto, TableRowDto } from '../../src/modules/pools/dto/weeks.dto.js';
import { gradeAgain } from './grades.js';
import { inParallel } from './meter.js';
import { CONCURRENCY, type DrawnWeek } from './sign-up.js';
import type { Stage } from './stage.js';
import type { PlayedWeek } from './week.js';

export interface Tally {
  bets: number;
  staked: number;
  paidOut: number;
  readonly byStatus: Map<string, number>;
}

/** The sums of the week, from the API's answers. */
export interface Sums {
  readonly starting: number;
  readonly staked: number;
  readonly paidOut: number;
  readonly balances: number;
  readonly betsStaked: number;
  readonly betsPaidOut: number;
  readonly regraded: number;
  /** Minor units. */
  readonly pots: number;
  readonly prizes: number;
}

export interface CheckedWeek {
  readonly sums: Sums;
  /** By kind of market. */
  readonly tallies: ReadonlyMap<string, Tally>;
  /** By pool id. */
  readonly prizes: ReadonlyMap<string, readonly PrizeDto[]>;
}

/**
 * Holds everything the API says at the end against everything else it says, and against what the script noted: every
 * member's balance, every bet of every player, every grade, every prize. What does not fit is a fault.
 */
export async function checkWeek(
  stage: Stage,
  drawn: DrawnWeek,
  { tables }: PlayedWeek,
): Promise<CheckedWeek> {
  const { records, rules } = stage;
  const members = new Map([...tables.values()].flat().map((row) => [row.userId, row]));
  for (const row of members.values()) checkMember(stage, row);
  const listed = await readBets(stage, drawn);
  for (const [userId, bets] of listed) checkBets(stage, userId, bets, members.get(userId));
  const all = [...listed.values()].flat();
  if (all.length !== records.bets.size)
    records.faults.push(`${records.bets.size} bets were taken, the players see ${all.length}`);
  const regraded = all.filter((bet) => isGradedRight(stage, bet)).length;

  const prizes = new Map<string, PrizeDto[]>();
  let pots = 0;
  for (const { id } of drawn.pools) {
    const won = await stage.admin.ask<PrizeDto[]>('GET', `weeks/${stage.options.week}/pools/${id}/prizes`);
    prizes.set(id, won);
    // A pool in which nobody staked enough keeps its pot for the next week.
    const eligible = tables.get(id)?.some(({ staked }) => staked >= rules.minStaked) === true;
    const pot = eligible ? rules.potPerPool : 0;
    pots += pot;
    const sum = total(won, ({ amount }) => amount);
    if (sum !== pot) records.faults.push(`the prizes of pool ${id} are ${sum} together, its pot is ${pot}`);
  }
  const rows = [...members.values()];
  const sums: Sums = {
    starting: total(rows, ({ userId }) => startOf(stage, userId)),
    staked: total(rows, ({ staked }) => staked),
    paidOut: total(rows, ({ paidOut }) => paidOut),
    balances: total(rows, ({ credits }) => credits),
    betsStaked: total(all, ({ stake }) => stake),
    betsPaidOut: total(all, ({ payout }) => payout ?? 0),
    regraded,
    pots,
    prizes: total([...prizes.values()].flat(), ({ amount }) => amount),
  };
  if (sums.starting - sums.staked + sums.paidOut !== sums.balances)
    records.faults.push('credits out are not credits in');
  return { sums, tallies: tallyOf(stage, all), prizes };
}

function checkMember({ records, rules }: Stage, row: TableRowDto): void {
  const { handle, credits, staked, paidOut, betsOpen } = row;
  const expected = startOf({ records, rules }, row.userId) - staked + paidOut;
  if (credits !== expected)
    records.faults.push(`${handle} has ${credits} credits and should have ${expected}`);
  if (betsOpen !== 0) records.faults.push(`${handle} has ${betsOpen} bets that were never settled`);
}

/** What somebody has had to play with, before any bet. */
function startOf({ records, rules }: Pick<Stage, 'records' | 'rules'>, userId: string): number {
  return rules.startingCredits + (records.boughtBack.has(userId) ? rules.buyBackCredits : 0);
}

/** What every player sees of their own bets. */
async function readBets({ options, screen }: Stage, { players }: DrawnWeek): Promise<Map<string, BetDto[]>> {
  const listed = new Map<string, BetDto[]>();
  await inParallel(players, CONCURRENCY, async ({ client }) => {
    listed.set(client.userId, await client.all<BetDto>(`bets?week=${options.week}&limit=100`));
    screen.update(`Checking … ${listed.size} players`);
  });
  screen.update('');
  return listed;
}

function checkBets(
  { records }: Stage,
  userId: string,
  bets: readonly BetDto[],
  row: TableRowDto | undefined,
): void {
  const staked = total(bets, ({ stake }) => stake);
  const paidOut = total(bets, ({ payout }) => payout ?? 0);
  if (!row || row.staked !== staked || row.paidOut !== paidOut || row.betsPlaced !== bets.length)
    records.faults.push(`the table and the bets of ${row?.handle ?? userId} differ`);
  for (const bet of bets) {
    const { id, stake } = bet;
    const noted = records.bets.get(id);
    const legs = (bet.legs ?? [bet]).map(({ outcome, odds }) => `${outcome} ${odds.american}`);
    const same =
      noted?.userId === userId &&
      noted.stake === stake &&
      noted.legs.map(({ outcome, american }) => `${outcome} ${american}`).join() === legs.join();
    if (!same) records.faults.push(`bet ${id} is not the one that was placed`);
  }
}

function isGradedRight({ records, options }: Stage, { id, status, payout }: BetDto): boolean {
  const noted = records.bets.get(id);
  if (!noted) return false; // a bet nobody placed is a fault already
  const grade = gradeAgain(noted, ({ externalId }) => {
    const score = options.season.scores.get(externalId);
    if (!score) throw new Error(`${options.season.file} has no score of ${externalId}`);
    return score;
  });
  const right = grade.status === status && grade.payout === payout;
  if (!right)
    records.faults.push(
      `bet ${id} is ${status} and paid ${payout}; it is ${grade.status} and worth ${grade.payout}`,
    );
  return right;
}

function tallyOf({ records }: Stage, bets: readonly BetDto[]): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  for (const { id, status, stake, payout } of bets) {
    const kind = records.bets.get(id)?.kind ?? 'unknown';
    const tally = tallies.get(kind) ?? {
      bets: 0,
      staked: 0,
      paidOut: 0,
      byStatus: new Map<string, number>(),
    };
    tallies.set(kind, tally);
    tally.bets += 1;
    tally.staked += stake;
    tally.paidOut += payout ?? 0;
    tally.byStatus.set(status, (tally.byStatus.get(status) ?? 0) + 1);
  }
  return tallies;
}

function total<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}
