import type pg from 'pg';
import type { KeyRing } from '../../src/platform/security/key-ring.js';
import { type Figure, ratioFigure, say } from './figures.js';
import { any, CLIENTS, load } from './ledger-load.js';
import { drive } from './load.js';
import { signIn } from './seed.js';
import { seedOperators, seedWithdrawals } from './seed-withdrawals.js';
import type { Bench } from './services.js';

const CONNECTIONS = 32;
const WARM_UP = 2;
/** Withdrawals made for each second of the measurement through HTTP and beside it. */
const SEEDED_A_SECOND = 9000;
const RELEASE = 'SELECT * FROM ledger_release($1, $2)';

interface Releasing {
  readonly bench: Bench;
  readonly pool: pg.Pool;
  readonly keyRing: KeyRing;
  readonly userIds: readonly string[];
}

/**
 * The operation of the API that moves money with the least around it, an operator's no to a withdrawal (its state, the audit log
 * and the event that tells of it), beside the release of the hold alone, which is its money, as one call without HTTP and all of that.
 */
export async function releasesThroughHttp(
  { bench, pool, keyRing, userIds }: Releasing,
  count: number,
  seconds: number,
): Promise<Figure> {
  const tokens = await signIn(bench.db, await seedOperators(bench.db, CONNECTIONS), bench.privateKey);
  const needed = SEEDED_A_SECOND * (WARM_UP + count * seconds);
  const waiting = await seedWithdrawals(bench.db, userIds, keyRing, needed);
  const next = () => {
    const one = waiting.pop();
    if (!one) throw new Error('there are not enough withdrawals: raise SEEDED_A_SECOND');
    return one;
  };
  const api = await bench.start('main', { LOG_LEVEL: 'warn', DATABASE_POOL_SIZE: String(CLIENTS) });
  const http = async (time: number) => {
    const { perSecond, answers } = await drive({
      url: api.url,
      connections: CONNECTIONS,
      seconds: time,
      request: () => ({
        method: 'POST',
        path: `/api/v1/admin/withdrawals/${next().id}/decide`,
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${any(tokens)}` },
        body: '{"decision":"reject","note":"bench"}',
      }),
    });
    if (answers.size !== 1 || !answers.has('200')) throw new Error(`refused: ${[...answers].join(' ')}`);
    return perSecond;
  };
  const alone = async (time: number) =>
    load(async () => {
      const { id, holdId } = next();
      await pool.query({ name: 'release', text: RELEASE, values: [holdId, `withdrawal:${id}:released`] });
    }, time);
  await http(WARM_UP);
  await alone(WARM_UP);
  const rounds: { value: number; floor: number }[] = [];
  for (let round = 1; round <= count; round += 1) {
    const floor = await alone(seconds);
    const value = await http(seconds);
    rounds.push({ value, floor });
    say(`round ${round}: releases ${floor.toFixed(0)}/s, through HTTP ${value.toFixed(0)}/s`);
  }
  await api.stop();
  return ratioFigure(
    {
      bench: 'ledger',
      metric: 'rejected withdrawals through HTTP beside releases alone',
      unit: 'transfers/s',
    },
    rounds,
    0.5,
  );
}
