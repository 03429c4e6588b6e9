import { randomUUID } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { warmUp } from './bets.js';
import { type Figure, ratioFigure, say } from './support/figures.js';
import { drive } from './support/load.js';
import { seedBets, seedWorld, signIn } from './support/seed.js';
import { startBench } from './support/services.js';

const MEMBERS = 2_000;
const CONNECTIONS = 32;
const ROUNDS = 3;

/** How fast the reads of a betting evening are, beside a bare Nest route that answers the same bytes. */
export async function run({ seconds }: { seconds: number }): Promise<Figure[]> {
  const bench = await startBench('parley_bench_reads');
  try {
    const world = await seedWorld(bench.db, { members: MEMBERS, pools: 20, games: 16 });
    await seedBets(bench.db, world, 200_000);
    const tokens = await signIn(bench.db, world.userIds, bench.privateKey);
    const api = await bench.start('main', { DATABASE_POOL_SIZE: '8', LOG_LEVEL: 'warn' });
    await warmUp(api.url, tokens);
    const paths = {
      'GET /games': '/api/v1/games?limit=16',
      'GET /bets': '/api/v1/bets?limit=20',
      'pool table': `/api/v1/weeks/current/pools/${world.poolIds[0]}/leaderboard?limit=100`,
    };
    const any = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)] as T;
    const figures: Figure[] = [];
    for (const [name, path] of Object.entries(paths)) {
      const answer = await fetch(`${api.url}${path}`, { headers: { Authorization: `Bearer ${tokens[0]}` } });
      const body = await answer.text();
      if (!answer.ok) throw new Error(`${path} answers ${body}`);
      const file = join(await mkdtemp(join(tmpdir(), 'parley-bench-')), 'body.json');
      await writeFile(file, body);
      const floor = await bench.start('bare-nest', { BODY_FILE: file });
      const load = (url: string, to: string, time: number) =>
        drive({
          url,
          connections: CONNECTIONS,
          seconds: time,
          request: () => ({
            method: 'GET',
            path: to,
            headers: { Authorization: `Bearer ${any(tokens)}`, 'X-Request-Id': randomUUID() },
          }),
        });
      await load(floor.url, '/body', 1);
      await load(api.url, path, 1);
      const rounds: { value: number; floor: number }[] = [];
      for (let round = 1; round <= ROUNDS; round += 1) {
        const bare = await load(floor.url, '/body', seconds);
        const ours = await load(api.url, path, seconds);
        rounds.push({ value: ours.perSecond, floor: bare.perSecond });
        say(
          `${name} (${body.length} bytes), round ${round}: floor ${bare.perSecond.toFixed(0)}/s, ours ${ours.perSecond.toFixed(0)}/s, p99 ${ours.p99} ms, ${[...ours.answers].join(' ')}`,
        );
      }
      figures.push(ratioFigure({ bench: 'reads', metric: name, unit: 'reads/s' }, rounds, 0.3));
      await floor.stop();
    }
    return figures;
  } finally {
    await bench.stop();
  }
}
