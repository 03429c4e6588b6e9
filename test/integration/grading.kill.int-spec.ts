import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import { configDir } from '../support/config-dir.js';
import { betOnEverything, expireJobLocks, holding, jobLocks, leftToDo } from '../support/crash.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const WEEK = 202340;
const PLAYERS = 60;
const POOLS = 15;
/** Bets of each player on each side of each game. */
const TIMES = 5;
const BETS = PLAYERS * 6 * TIMES;
/** 24:20 at -110: home wins, covers -3, and 44 is under 45. Three of six bets of 10 pay 19. */
const PAID = 3 * 19 * TIMES;
/** Chunks a worker grades at a time. */
const CONCURRENCY = 4;

endProcessesAfterAll();

describe('grading thousands of bets', () => {
  const config = configDir({
    pools: { maxSize: PLAYERS / POOLS },
    settlement: { chunkBets: 100, gradersPerWorker: CONCURRENCY },
  });
  const workers: TestProcess[] = [];
  let system: System;
  let proxy: TcpProxy;
  let games: TestGame[];
  let graded = 0;

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { CONFIG_DIR: config.path },
    });
    proxy = await TcpProxy.to(system.config.DATABASE_URL);
    const make = new Builders(system);
    await make.week(WEEK, { group: false });
    const players = await make.players(PLAYERS, { pass: WEEK });
    await make.week(WEEK);
    games = [];
    for (let n = 0; n < 3; n += 1) {
      const game = await make.game({ startsAt: '2023-10-05T17:00:00Z' });
      for (let time = 0; time < TIMES; time += 1) await betOnEverything(system, players, WEEK, game);
      games.push(game);
    }
    await system.moveTo('2023-10-06T12:00:00Z');
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.kill('SIGKILL')));
  });
  afterAll(async () => {
    await system.stop();
    proxy.close();
    config.remove();
  });

  async function start(env: Record<string, string> = {}): Promise<TestProcess> {
    const worker = await TestProcess.start('worker', { ...system.env, ...env });
    workers.push(worker);
    return worker;
  }

  async function finish(game: TestGame): Promise<void> {
    await system.app
      .get(ResultsService)
      .report(null, game.id, { status: 'final', homeScore: 24, awayScore: 20 });
    graded += 1;
  }

  async function expectSettled(): Promise<void> {
    await eventually(async () => {
      const left = await leftToDo(system);
      return left.bets === BETS * (games.length - graded) && left.settlements === 0 && left.events === 0;
    }, 25_000);
    const { rows: members } = await system.db.query(
      `SELECT DISTINCT balance::int, paid_out::int AS paid, bets_open FROM pool_members`,
    );
    expect(members).toEqual([
      {
        balance: 1000 - games.length * 60 * TIMES + graded * PAID,
        paid: graded * PAID,
        bets_open: (games.length - graded) * 6 * TIMES,
      },
    ]);
    expect(await unbalanced(system)).toEqual([]);
    const { rows: chunks } = await system.db.query(
      `SELECT count(DISTINCT settlement_id)::int AS settlements, count(*)::int AS chunks, sum(bets)::int AS bets,
              count(done_at)::int AS done FROM settlement_chunks`,
    );
    expect(chunks).toEqual([
      { settlements: graded, chunks: graded * POOLS, bets: graded * BETS, done: graded * POOLS },
    ]);
  }

  /** How many chunks each of two workers is in the middle of: the one through the proxy, the other. */
  async function inHand(): Promise<[number, number]> {
    const { rows } = await system.db.query(
      `SELECT client_port AS port FROM pg_stat_activity
       WHERE datname = current_database() AND query LIKE '%settlement_grade_chunk%' AND wait_event_type = 'Lock'`,
    );
    const proxied = rows.filter(({ port }) => proxy.ports.includes(port)).length;
    return [proxied, rows.length - proxied];
  }

  it('survives a worker killed in the middle: no chunk is graded half, and on restart each bet is settled once', async () => {
    const release = await holding(system, 'SELECT FROM pools WHERE number > $1 FOR UPDATE', [POOLS / 3]);
    const doomed = await start();
    await finish(games[0] as TestGame);
    await eventually(async () => (await inHand())[1] === CONCURRENCY);
    await doomed.kill('SIGKILL');
    const { rows } = await system.db.query(
      `SELECT count(*)::int AS left, (SELECT count(*)::int FROM pools p WHERE EXISTS (
         SELECT FROM bets b WHERE b.pool_id = p.id AND b.game_id = $1 AND b.status = 'placed')) AS pools
       FROM settlement_chunks WHERE done_at IS NULL`,
      [games[0]?.id],
    );
    expect(rows[0].left).toBe(rows[0].pools);
    expect(rows[0].left).toBeGreaterThan(0);
    await release();
    expect(await unbalanced(system)).toEqual([]);
    await expireJobLocks(system);
    await start();
    await expectSettled();
  });

  it('is shared by two workers, and finished by the one when the other is killed', async () => {
    const release = await holding(system, 'SELECT FROM pools FOR UPDATE');
    const doomed = await start({ DATABASE_URL: proxy.url });
    await Promise.all(games.slice(1).map(finish));
    await eventually(async () => (await inHand()).join() === [CONCURRENCY, 0].join());
    const locks = await jobLocks(system);
    await start();
    await eventually(async () => (await inHand()).join() === [CONCURRENCY, CONCURRENCY].join());
    await doomed.kill('SIGKILL');
    await expireJobLocks(system, locks);
    await release();
    await expectSettled();
    expect(workers.map(({ alive }) => alive)).toEqual([false, true]);
  });
});
