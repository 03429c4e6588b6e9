import { parseArgs } from 'node:util';
import { type Figure, say } from './support/figures.js';

/** `full`: also what takes its time. */
interface Options {
  seconds: number;
  full: boolean;
}

const BENCHES: Record<string, () => Promise<{ run: (options: Options) => Promise<Figure[]> }>> = {
  bets: () => import('./bets.js'),
  reads: () => import('./reads.js'),
  settlement: () => import('./settlement.js'),
  grouping: () => import('./grouping.js'),
  growth: () => import('./growth.js'),
  auth: () => import('./auth.js'),
  ledger: () => import('./ledger.js'),
  compliance: () => import('./compliance.js'),
  odds: () => import('./odds.js'),
  plans: () => import('./plans.js'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '8' }, full: { type: 'boolean', default: false } },
});
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
const figures: Figure[] = [];
for (const name of names) {
  const bench = BENCHES[name];
  if (!bench) {
    say(`There is no bench ${name}. There are: ${Object.keys(BENCHES).join(', ')}`);
    process.exit(1);
  }
  say(`— ${name}`);
  figures.push(...(await (await bench()).run({ seconds: Number(values.seconds), full: values.full })));
}
for (const figure of figures) process.stdout.write(`${JSON.stringify(figure)}\n`);
process.exit(figures.every(({ pass }) => pass !== false) ? 0 : 1);
