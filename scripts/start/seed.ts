import type { WeekDto } from '../../src/modules/pools/dto/weeks.dto.js';
import { expectData, HttpClient } from '../launch/http-client.js';
import type { Lifetime } from '../launch/lifetime.js';
import { runTool } from '../launch/product.js';
import { ACCOUNTS, AFTER_THE_DRAW, FIRST_SEASON, FIRST_WEEK } from './accounts.js';

const POLL_MS = 100;
const TIMEOUT_MS = 30_000;

/** What an operator does from the command line: an admin, and the games of a season. */
export async function seedAsOperator(
  env: NodeJS.ProcessEnv,
  password: string,
  signal: AbortSignal,
): Promise<void> {
  const { email, handle } = ACCOUNTS.admin;
  const admin = ['dist/src/cli/create-admin.js', '--email', email, '--handle', handle];
  await Promise.all([
    runTool(admin, { ...env, ADMIN_PASSWORD: password }, signal),
    runTool(['dist/src/cli/import.js', FIRST_SEASON], env, signal),
  ]);
}

/** What users and the admin do over HTTP: sign up, passes, and the draw of the week. Whatever is done already stays. */
export async function seedOverHttp(
  base: string,
  options: { password: string; termsVersion: string; lifetime: Lifetime },
): Promise<void> {
  const { password, termsVersion, lifetime } = options;
  const admin = await signedIn(base, ACCOUNTS.admin.email, password);
  const players = [];
  for (const account of [ACCOUNTS.ada, ACCOUNTS.bob]) {
    const client = new HttpClient(base);
    const answer = await client.register({ ...account, password, termsVersion });
    const exists = !answer.ok && answer.refusal.code === 'EMAIL_TAKEN';
    if (!exists) expectData('sign-up', answer);
    players.push(exists ? await signedIn(base, account.email, password) : client);
  }
  await weekBecomes(admin, ['open'], lifetime);
  for (const { userId } of players) {
    const body = { kind: 'week_pass', week: FIRST_WEEK };
    const answer = await admin.call('POST', `admin/users/${userId}/pass`, {
      body,
      key: `first-pass-${userId}`,
    });
    if (!answer.ok && answer.refusal.code !== 'PASS_ALREADY_HELD') expectData('the pass', answer);
  }
  await admin.ask('POST', 'admin/clock', { body: { now: new Date(AFTER_THE_DRAW).toISOString() } });
  await weekBecomes(admin, ['grouped', 'closed', 'settled'], lifetime);
}

async function signedIn(base: string, email: string, password: string): Promise<HttpClient> {
  const client = new HttpClient(base);
  expectData(`sign-in of ${email}`, await client.signIn(email, password));
  return client;
}

/** The worker opens and draws weeks when their time has come: within a moment. */
async function weekBecomes(admin: HttpClient, states: string[], lifetime: Lifetime): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await admin.call<WeekDto>('GET', `weeks/${FIRST_WEEK}`);
    if (answer.ok && states.includes(answer.data.status)) return;
    if (performance.now() > deadline)
      throw new Error(
        `Week ${FIRST_WEEK} is not ${states[0]} after ${TIMEOUT_MS / 1000} s: see the worker's log.`,
      );
    await lifetime.sleep(POLL_MS);
  }
}
