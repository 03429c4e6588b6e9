import { execSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { drive } from './support/load.js';
import { seedBets, seedWorld, signIn } from './support/seed.js';
import { startBench } from './support/services.js';
import { bets, warmUp } from './bets.js';

const ticks = (pid: number) => {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(f[11]) + Number(f[12])) * 10_000;
};
const pids = (pat: string) =>
  execSync(`pgrep -f '${pat}' || true`).toString().trim().split('\n').filter(Boolean).map(Number);
const bench = await startBench('parley_probe');
try {
  const world = await seedWorld(bench.db, { members: 2000, pools: 20, games: 16 });
  await seedBets(bench.db, world, Number(process.env['STORED'] ?? 200_000));
  const tokens = await signIn(bench.db, world.userIds, bench.privateKey);
  const env: Record<string, string> = { DATABASE_POOL_SIZE: '8', LOG_LEVEL: 'warn' };
  if (process.env['PROF']) env['NODE_OPTIONS'] = `--cpu-prof --cpu-prof-dir=/tmp/prof`;
  const api = await bench.start('main', env);
  await warmUp(api.url, tokens);
  const any = <T>(l: T[]): T => l[Math.floor(Math.random() * l.length)] as T;
  const get = (path: string) => () => ({
    method: 'GET' as const,
    path,
    headers: { Authorization: `Bearer ${any(tokens)}` },
  });
  const all: Record<string, () => any> = {
    live: get('/health/live'),
    clock: get('/api/v1/clock'),
    compliance: get('/api/v1/compliance/status'),
    games: get('/api/v1/games?limit=16'),
    mybets: get('/api/v1/bets?limit=20'),
    table: get(`/api/v1/weeks/current/pools/${world.poolIds[0]}/leaderboard?limit=100`),
    me: get('/api/v1/me'),
    bets: bets(world, tokens),
  };
  const want = process.argv[2]?.split(',') ?? Object.keys(all);
  const pgPids = () =>
    execSync(`pgrep -f 'parley_probe|/tmp/perf/.local/bench/postgres' || true`)
      .toString()
      .trim()
      .split('\n')
      .filter(Boolean)
      .map(Number);
  const sum = (ps: number[]) =>
    ps.reduce((s, p) => {
      try {
        return s + ticks(p);
      } catch {
        return s;
      }
    }, 0);
  for (const name of want) {
    await drive({ url: api.url, connections: 32, seconds: 2, request: all[name]! });
    const pp = pgPids().filter((p) => p !== api.pid);
    const rp = pids('redis-server.*' + bench.redisUrl.match(/:(\d+)/)![1]);
    const [a, p, r] = [ticks(api.pid), sum(pp), sum(rp)];
    const secs = Number(process.env['SECS'] ?? 4);
    const f = await drive({ url: api.url, connections: 32, seconds: secs, request: all[name]! });
    const n = f.perSecond * secs;
    console.log(
      name.padEnd(12),
      `${f.perSecond.toFixed(0)}/s p99 ${f.p99} api ${((ticks(api.pid) - a) / n).toFixed(0)}us pg ${((sum(pp) - p) / n).toFixed(0)}us redis ${((sum(rp) - r) / n).toFixed(0)}us`,
      [...f.answers].join(' '),
    );
  }
} finally {
  await bench.stop();
}
