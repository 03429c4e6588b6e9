import type { DrawDto, PoolSummaryDto, WeekDto } from '../../src/modules/pools/dto/weeks.dto.js';
import { expectData, HttpClient } from '../launch/http-client.js';
import { boundsOfWeek } from '../launch/season.js';
import { Chance } from './chance.js';
import { checkDraw } from './draw-proof.js';
import { inParallel } from './meter.js';
import { buy, PAYING } from './paying.js';
import { type Player, temperamentOf } from './players.js';
import { type Stage, weekIs } from './stage.js';

/** Requests that are under way at a time. */
export const CONCURRENCY = 16;
const PASSWORD = 'correct horse battery';
const DRAW_PAGE = 5000;

export interface DrawnWeek {
  readonly week: WeekDto;
  readonly pools: readonly PoolSummaryDto[];
  readonly players: readonly Player[];
  /** Has an account and no pass: may look on. */
  readonly spectator: HttpClient;
}

/** Sunday: players sign up and pay their passes. Monday 00:00: the worker draws the pools, and the draw is replayed. */
export async function signUpAndDraw(stage: Stage): Promise<DrawnWeek> {
  const { options, meter, screen, records, clock, rules, admin } = stage;
  const { players, spectator } = await meter.time('sign-up', () => signUp(stage));
  screen.line(`${clock.text()}  ${count(options.players)} players have signed up`);

  const before = await weekIs(stage, 'open');
  let paid = 0;
  await meter.time('passes', () =>
    inParallel(players, PAYING, async (player) => {
      const { subject } = await buy(stage, player, 'week_pass');
      if (subject !== options.week) records.faults.push(`the pass of ${player.handle} is for ${subject}`);
      screen.update(`Paying … ${(paid += 1)}`);
    }),
  );
  screen.update('');
  screen.line(`${clock.text()}  and have paid their pass for week ${options.week} on the sandbox's page`);

  return await meter.time('draw', async () => {
    await clock.moveTo(boundsOfWeek(options.week, rules.zone).startsAt.toMillis());
    const week = await weekIs(stage, 'grouped');
    const draw = await readDraw(stage);
    const ids = players.map(({ client }) => client.userId);
    const faults = checkDraw(draw, before.seedHash, ids);
    records.faults.push(...faults.map((fault) => `draw: ${fault}`));
    const pools = await admin.ask<PoolSummaryDto[]>('GET', `weeks/${options.week}/pools`);
    const sizes = pools.map(({ name, size }) => `${name} with ${size}`).join(', ');
    screen.line(`${clock.text()}  the draw: ${sizes}`);
    screen.line(
      `${' '.repeat(18)}${faults.length === 0 ? 'replayed from its published seed: the same' : 'REPLAYED DIFFERENTLY'}`,
    );
    return { week, pools, players, spectator };
  });
}

async function signUp(stage: Stage): Promise<{ players: Player[]; spectator: HttpClient }> {
  const { options, meter, screen, base, rules } = stage;
  const players = Array.from({ length: options.players }, (_, index): Player => {
    const handle = `player${String(index + 1).padStart(3, '0')}`;
    const chance = new Chance(`${options.seed} ${handle}`);
    return { handle, client: new HttpClient(base, meter.observe), temperament: temperamentOf(index), chance };
  });
  const spectator = new HttpClient(base, meter.observe);
  let done = 0;
  const everybody = [...players, { handle: 'spectator', client: spectator }];
  await inParallel(everybody, CONCURRENCY, async ({ handle, client }) => {
    const account = { email: `${handle}@example.com`, handle, birthDate: '1990-01-01', password: PASSWORD };
    expectData('sign-up', await client.register({ ...account, termsVersion: rules.termsVersion }));
    screen.update(`Signing up … ${(done += 1)}`);
  });
  screen.update('');
  return { players, spectator };
}

/** The proof with all of its entries, page by page. */
async function readDraw({ admin, options }: Stage): Promise<DrawDto> {
  const read = (cursor: string): Promise<DrawDto> =>
    admin.ask<DrawDto>('GET', `weeks/${options.week}/draw?limit=${DRAW_PAGE}${cursor}`);
  const draw = await read('');
  for (let { nextCursor } = draw; nextCursor !== null;) {
    const page = await read(`&cursor=${nextCursor}`);
    draw.entries.push(...page.entries);
    ({ nextCursor } = page);
  }
  return draw;
}

/** `1,234` */
export function count(number: number): string {
  return number.toLocaleString('en-US');
}
