import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Client } from 'pg';
import { ACCOUNTS } from './accounts.js';

/** How far the first start's data is, read from the database so that a first start that was cut short is gone on with. */
export interface Contents {
  readonly games: boolean;
  readonly accounts: boolean;
  /** Whether ada has been drawn into a pool: the last of the first start's steps. */
  readonly drawn: boolean;
}

const CONTENTS = `
SELECT EXISTS (SELECT FROM games) AS games,
       EXISTS (SELECT FROM users WHERE email = ANY ($1)) AS accounts,
       EXISTS (SELECT FROM week_entries e JOIN users u ON u.id = e.user_id WHERE u.email = $2) AS drawn`;

export async function readContents(url: string): Promise<Contents> {
  const emails = Object.values(ACCOUNTS).map(({ email }) => email);
  const [row] = await query<Contents>(url, CONTENTS, [emails, ACCOUNTS.ada.email]);
  return row ?? { games: false, accounts: false, drawn: false };
}

/** Notes when the system stopped, so that its clock stands still until it is started again. */
export function noteStop(file: string): void {
  writeFileSync(file, String(Date.now()));
}

/** Lets a clock that was moved go on from where it stopped: a season would not wait for those who come back later. */
export async function resumeClock(url: string, file: string): Promise<void> {
  if (!existsSync(file)) return;
  const stoppedAt = Number(readFileSync(file, 'utf8'));
  rmSync(file);
  const pauseMs = Date.now() - stoppedAt;
  if (pauseMs > 0)
    await query(url, 'UPDATE clock_control SET offset_ms = offset_ms - $1 WHERE offset_ms <> 0', [pauseMs]);
}

async function query<Row extends object>(url: string, text: string, values: unknown[]): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}
