import { seconds } from '../launch/screen.js';
import type { CheckedWeek, Sums, Tally } from './check.js';
import type { CheckedMoney, Paid } from './money.js';
import { CURRENCY } from './paying.js';
import { count, type DrawnWeek } from './sign-up.js';
import type { Stage } from './stage.js';
import type { PlayedWeek } from './week.js';

const TOP = 5;
const STATUSES = ['won', 'lost', 'push', 'void'] as const;

/** The end of the demo: what was played, and whether it adds up. */
export function report(
  stage: Stage,
  drawn: DrawnWeek,
  played: PlayedWeek,
  checked: CheckedWeek & { money: CheckedMoney },
): string {
  const { options, records, clock } = stage;
  const last = Date.parse(drawn.week.endsAt) - 1;
  const days = `${clock.day(Date.parse(drawn.week.startsAt))} to ${clock.day(last)}`;
  const title = `Week ${options.week} (${days}): ${options.players} players, ${played.games} NFL games, ${count(records.bets.size)} bets`;
  return [
    `${title}\n${'='.repeat(title.length)}`,
    section('Tables', tables(drawn, played, checked)),
    section('Bets, by market and result', bets(checked.tallies)),
    section('Credits', credits(checked.sums, records.bets.size)),
    section('Refused, and why', refusals(stage)),
    section('Time', timings(stage)),
    section('Money, and the proof of the ledger', money(stage, checked.money)),
    verdict(records.faults),
  ].join('\n\n');
}

function tables({ pools }: DrawnWeek, played: PlayedWeek, { prizes }: CheckedWeek): string[] {
  return pools.flatMap(({ id, name, size }) => {
    const rows = (played.tables.get(id) ?? []).slice(0, TOP).map((row) => {
      const prize = prizes.get(id)?.find(({ userId }) => userId === row.userId);
      const won = prize ? `${(prize.amount / 100).toFixed(2)} ${prize.currency}` : '';
      return [
        String(row.rank),
        row.handle,
        count(row.credits),
        count(row.staked),
        String(row.betsPlaced),
        won,
      ];
    });
    const head = ['', `${name}, ${size} players`, 'credits', 'staked', 'bets', 'prize'];
    return align([head, ...rows], 1);
  });
}

function bets(tallies: ReadonlyMap<string, Tally>): string[] {
  const rowOf = (name: string, tally: Tally): string[] => [
    name,
    count(tally.bets),
    ...STATUSES.map((status) => count(tally.byStatus.get(status) ?? 0)),
    count(tally.staked),
    count(tally.paidOut),
  ];
  const all: Tally = { bets: 0, staked: 0, paidOut: 0, byStatus: new Map() };
  for (const tally of tallies.values()) {
    all.bets += tally.bets;
    all.staked += tally.staked;
    all.paidOut += tally.paidOut;
    for (const [status, n] of tally.byStatus) all.byStatus.set(status, (all.byStatus.get(status) ?? 0) + n);
  }
  const kinds = [...tallies].toSorted(([a], [b]) => a.localeCompare(b));
  const head = ['', 'bets', ...STATUSES, 'staked', 'paid out'];
  return align([head, ...kinds.map(([kind, tally]) => rowOf(kind, tally)), rowOf('all', all)], 0);
}

function credits(sums: Sums, placed: number): string[] {
  const { starting, staked, paidOut, balances, betsStaked, betsPaidOut, regraded, pots, prizes } = sums;
  const sign = (right: boolean): string => (right ? 'the same' : 'NOT THE SAME');
  const expected = starting - staked + paidOut;
  return align(
    [
      [
        'start and bought back - staked + paid out',
        `${count(starting)} - ${count(staked)} + ${count(paidOut)} = ${count(expected)}`,
        '',
      ],
      ['balances in the tables', count(balances), sign(balances === expected)],
      [
        "every player's GET /bets",
        `${count(betsStaked)} staked, ${count(betsPaidOut)} paid out`,
        sign(betsStaked === staked && betsPaidOut === paidOut),
      ],
      [
        'graded again from the scores',
        `${count(regraded)} of ${count(placed)} bets`,
        sign(regraded === placed),
      ],
      [
        'prizes and pots',
        `${(prizes / 100).toFixed(2)} of ${(pots / 100).toFixed(2)}`,
        sign(prizes === pots),
      ],
    ],
    0,
    [0, 1, 2],
  );
}

function money({ records }: Stage, checked: CheckedMoney): string[] {
  const { passes, buyBacks, prizes, wallets, withdrawal, ledger } = checked;
  const times = (paid: Paid): string => `${count(paid.times)}, ${inMoney(paid.amount)}`;
  return [
    ...align(
      [
        ['week passes paid', times(passes), `${count(records.declined)} cards were declined at first`],
        ['bought back', times(buyBacks), ''],
        ['prizes', inMoney(prizes), ''],
        ['in the wallets', inMoney(wallets), wallets === prizes ? 'the same' : 'NOT THE SAME'],
        ['withdrawn', inMoney(withdrawal.amount), `by ${withdrawal.handle}: ${withdrawal.status}`],
      ],
      0,
      [0, 1, 2],
    ),
    `The ledger: ${count(ledger.entries)} entries of ${count(ledger.transfers)} transfers on ${count(ledger.accounts)} accounts.`,
    ...ledger.rules.map(({ rule, problems }) => `${problems.length === 0 ? 'holds' : 'BROKEN'}: ${rule}`),
  ];
}

function inMoney(minor: number): string {
  return `${(minor / 100).toFixed(2)} ${CURRENCY}`;
}

function refusals({ records }: Stage): string[] {
  const rows = [...records.refusals.values()]
    .toSorted((a, b) => b.count - a.count || a.code.localeCompare(b.code))
    .map(({ count: times, status, code, message }) => [count(times), String(status), code, message]);
  const replayed = `${count(records.replays)} bets were sent twice at once with one key: each is one bet, answered twice.`;
  return [...align(rows, 2, [2, 3]), replayed];
}

function timings({ meter }: Stage): string[] {
  const rows = [...meter.phases].map(([phase, { ms, requests }]) => [
    phase,
    seconds(ms),
    count(requests),
    count(Math.round(requests / (ms / 1000))),
  ]);
  const percentiles = [0.5, 0.95, 0.99].map(
    (share) => `p${share * 100} ${meter.betPercentile(share).toFixed(1)} ms`,
  );
  return [
    ...align([['', 'time', 'requests', 'per second'], ...rows], 0),
    `POST /bets, as the clients saw ${count(meter.betLatencies.length)} of them: ${percentiles.join(', ')}`,
  ];
}

function verdict(faults: readonly string[]): string {
  if (faults.length === 0)
    return 'Credits in are credits out, money in is money out, to the last unit, and everything was as the rules say.';
  const shown = faults.slice(0, 20).map((fault) => `  ${fault}`);
  return [`NOT AS IT SHOULD BE, ${faults.length} times:`, ...shown].join('\n');
}

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => `  ${line}`.trimEnd())].join('\n');
}

/** Columns of equal width, numbers to the right; `left` are those that hold text, by default the one named. */
function align(
  rows: readonly (readonly string[])[],
  text: number,
  left: readonly number[] = [text],
): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return left.includes(column) ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  '),
  );
}
