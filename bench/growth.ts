import { API_ENV, bets, load, warmUp } from './bets.js';
import { type Figure, ratioFigure, say } from './support/figures.js';
import { seedBets, seedWorld, signIn } from './support/seed.js';
import { type Bench, startBench } from './support/services.js';

const MEMBERS = 10_000;
const ROUNDS = 3;
const STORED = [0, 1_000_000, 10_000_000];

/** Whether bets stay as fast as they pile up: three databases side by side, measured in turn. */
export async function run({ seconds }: { seconds: number }): Promise<Figure[]> {
  const benches: Bench[] = [];
  try {
    const runs = [];
    for (const stored of STORED) {
      say(`storing ${stored} bets …`);
      const bench = await startBench(`parley_bench_growth_${stored}`);
      benches.push(bench);
      const world = await seedWorld(bench.db, { members: MEMBERS, pools: 100, games: 16 });
      await seedBets(bench.db, world, stored);
      await bench.db.query('CHECKPOINT');
      const tokens = await signIn(bench.db, world.userIds, bench.privateKey);
      const api = await bench.start('main', API_ENV);
      await warmUp(api.url, tokens);
      const request = bets(world, tokens);
      await load(api, request, 3);
      runs.push({ stored, measure: async () => (await load(api, request, seconds)).perSecond });
    }
    const rounds: number[][] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const values: number[] = [];
      for (const { measure } of runs) values.push(await measure());
      rounds.push(values);
      say(
        `round ${round}: ${STORED.map((stored, index) => `${stored} stored ${values[index]?.toFixed(0)}/s`).join(', ')}`,
      );
    }
    return STORED.slice(1).map((stored, index) =>
      ratioFigure(
        { bench: 'growth', metric: `throughput with ${stored} stored`, unit: 'bets/s' },
        rounds.map((values) => ({ value: values[index + 1] ?? 0, floor: values[0] ?? 1 })),
        0.9,
      ),
    );
  } finally {
    for (const bench of benches.toReversed()) await bench.stop();
  }
}
