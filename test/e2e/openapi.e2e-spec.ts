import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import type { OpenApiDocument } from '../../scripts/openapi/document.js';
import { problemsOf } from '../../scripts/openapi/problems.js';
import { describeApi } from '../../src/bootstrap.js';
import { errorCatalogue } from '../../src/platform/http/domain-error.js';
import type { AsyncApiDocument } from '../../src/platform/realtime/asyncapi.js';
import { Builders, PASSWORD, type TestGame } from '../support/builders.js';
import { CapturedMails } from '../support/captured-mails.js';
import { Client } from '../support/client.js';
import { DocumentedApi, WITH_PROVIDER } from '../support/documented-api.js';
import { doubtsAboutFeeds } from '../support/feed-doubts.js';
import { flagsOfHarm } from '../support/harm.js';
import { callKyc } from '../support/kyc.js';
import { callLimits } from '../support/limits.js';
import { callOffers } from '../support/market-offers.js';
import { callPayments } from '../support/payments.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Texts } from '../support/texts.js';
import { Wallets } from '../support/wallets.js';

const WEEK = 202340;
/** Need a job that has failed every attempt, or take or answer a file: those have tests of their own. */
const NOT_CALLED = [
  'AuditLog_export',
  'Exports_download',
  'Queues_retry',
  'Wallet_statement',
  'KycAdmin_document',
  'Kyc_upload',
];

describe('the OpenAPI document', () => {
  let system: System;
  let document: OpenApiDocument;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-01T12:00:00Z' });
    document = (await (await fetch(`${system.url}/docs/openapi.json`)).json()) as OpenApiDocument;
  });
  afterAll(async () => system.stop());

  it('is valid OpenAPI 3.1, complete, and its examples fit', async () => {
    const sockets = (await (await fetch(`${system.url}/docs/asyncapi.json`)).json()) as AsyncApiDocument;
    expect(await problemsOf(document, sockets, new Map(errorCatalogue()))).toEqual([]);
  });

  it('is the same when no database is at hand', async () => {
    const { openapi } = await describeApi(system.config);
    expect(JSON.parse(JSON.stringify(openapi))).toEqual(document);
  });

  it('is shown to people too', async () => {
    const page = await fetch(`${system.url}/docs`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    // The last request on its connection was seconds ago. Who keeps one, as balancers do for a minute, is who ends it.
    expect(page.headers.get('keep-alive')).toBe('timeout=75');
  });

  it('is not served when it is switched off', async () => {
    const { createApi } = await import('../../src/bootstrap.js');
    const app = await createApi(Object.assign(structuredClone(system.config), { DOCS_ENABLED: false }));
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    expect((await fetch(`${url}/docs/openapi.json`)).status).toBe(404);
    await app.close();
  });

  it('tells the shape of what every operation answers, to the property', async () => {
    const api = new DocumentedApi(document);
    const call = api.call.bind(api);

    const make = new Builders(system);
    const anyone = new Client(system.url);
    const admin = await make.admin();
    const account = { email: 'ada@example.com', password: PASSWORD, handle: 'ada', birthDate: '1990-12-10' };
    const { user } = await call('Auth_register', anyone, {}, { ...account, termsVersion: '2026-11' });
    const signedIn = await call('Auth_login', anyone, {}, { email: account.email, password: PASSWORD });
    const tokens = await call('Sessions_refresh', anyone, {}, { refreshToken: signedIn.refreshToken });
    await call('Auth_acceptTerms', new Client(system.url, tokens.accessToken), {}, { version: '2026-11' });
    await make.week(WEEK, { group: false });
    await make.players(1, { pass: WEEK });
    const id = '2023-W40';
    await call('PoolsAdmin_grantPass', admin, { id: user.id }, { kind: 'week_pass', week: id });
    const games: TestGame[] = [];
    for (const startsAt of ['2023-10-08T17:00:00Z', '2023-10-08T20:00:00Z'])
      games.push(await make.game({ startsAt }));
    const [game, second] = games as [TestGame, TestGame];

    await call('Clock_move', admin, {}, { now: '2023-10-02T12:00:00.000Z' });
    await system.moveTo('2023-10-02T12:00:00.000Z');
    const again = await call('Auth_login', anyone, {}, { email: account.email, password: PASSWORD });
    const player = new Client(system.url, again.accessToken, user.id);
    const adminToken = await adminAgain(admin);
    await call('PoolsAdmin_group', adminToken, { id });
    const bets = [game.moneyline, game.spread, second.total].map((market) => ({
      marketId: market.id,
      outcome: Object.keys(market.odds)[0],
      stake: 20,
      oddsId: Object.values(market.odds)[0],
    }));
    const placed = [];
    for (const bet of bets) placed.push(await call('Bets_place', player, {}, bet));
    const legs = [bets[0], bets[2]].map((bet) => ({ ...bet, stake: undefined }));
    for (const slip of [bets[0], { legs, stake: 20 }]) await call('Bets_quote', player, {}, slip);
    placed.push(await call('Bets_place', player, {}, { legs, stake: 20 }));
    await call('Bets_exposure', player);
    const tooMuch = await call('Bets_place', player, {}, { legs, stake: 30 });
    await call('Bets_cancel', player, { id: tooMuch.betId });
    for (const { betId } of placed.slice(-2)) {
      const { code } = await call('Bets_share', player, { id: betId });
      await call('SharedBets_show', anyone, { code });
    }
    await call('StakeLimitsAdmin_set', adminToken, { id: user.id }, { maxStake: 500, reason: 'test' });
    await call('StakeLimitsAdmin_get', adminToken, { id: user.id });
    const me = await call('Me_me', player);
    const poolId = me.pool.id;
    await call('Me_myTable', player);
    await call('SportsAdmin_suspend', adminToken, { id: second.spread.id }, { reason: 'test' });
    await call('SportsAdmin_resume', adminToken, { id: second.spread.id }, { reason: 'test' });
    await callOffers(api, adminToken, second);
    await call('SportsAdmin_void', adminToken, { id: second.total.id }, { reason: 'test' });

    await system.moveTo('2023-10-10T12:00:00Z');
    const late = await call('Auth_login', anyone, {}, { email: account.email, password: PASSWORD });
    const reader = new Client(system.url, late.accessToken, user.id);
    const operator = await adminAgain(admin);
    for (const { id: gameId } of games)
      await call(
        'SportsAdmin_result',
        operator,
        { id: gameId },
        { status: 'final', homeScore: 42, awayScore: 10 },
      );
    const settlement = await eventually(async () => {
      const { rows } = await system.db.query<{ id: string; status: string }>(
        'SELECT id, status FROM settlements',
      );
      // One a game, and that of the market that was voided.
      return rows.length > games.length && rows.every(({ status }) => status === 'done') && rows[0];
    });
    await call('SettlementAdmin_get', operator, { id: settlement.id });
    await call('SettlementAdmin_list', operator);
    await system.db.query(
      `INSERT INTO market_void_requests (id, game_id, report, requested_by, requested_at, expires_at, bets)
       SELECT gen_random_uuid(), $1, '{"status": "cancelled"}', $2, parley_now(), parley_now() + interval '1 day', 501`,
      [second.id, operator.userId],
    );
    const [word] = await call('SportsAdmin_pendingVoids', operator);
    await call('SportsAdmin_withdrawVoid', operator, { id: word.id });
    await eventually(async () => (await reader.get(`weeks/${id}`)).data.status !== 'grouped');
    await call('SettlementAdmin_settleWeek', operator, { id });

    for (const name of ['Games', 'Events']) {
      await call(`${name}_list`, reader);
      await call(`${name}_get`, reader, { id: game.id });
      await call(`${name}_markets`, reader, { id: game.id });
    }
    await call('Bets_list', reader);
    for (const { betId } of placed) await call('Bets_get', reader, { id: betId });
    for (const name of ['get', 'pools', 'draw']) await call(`Weeks_${name}`, reader, { id });
    for (const name of ['leaderboard', 'members', 'poolPrizes'])
      await call(`Weeks_${name}`, reader, { id, poolId });
    for (const name of ['figures', 'list']) await call(`Queues_${name}`, operator);
    await call('Clock_now', anyone);
    const [other] = await make.players(1);
    const filed = await call('Reports_report', reader, { id: other!.userId }, { reason: 'spam' });
    await call('ReportsAdmin_list', operator);
    await call('ReportsAdmin_decide', operator, { id: filed.id }, { decision: 'warn', note: 'seen' });
    await call('UsersAdmin_update', operator, { id: other!.userId }, { role: 'seller', reason: 'other' });
    await call('UsersAdmin_list', operator);
    await call('AuditLog_list', operator);
    const money = new Wallets(system);
    await money.deposit(reader, 1000n);
    await money.hold(reader, 100n, 'USD', new Date(system.now().getTime() + 3_600_000));
    for (const name of ['get', 'transactions', 'holds']) await call(`Wallet_${name}`, reader);
    const verification = await call('VerifyAdmin_verify', operator);
    await call('VerifyAdmin_get', operator, { id: verification.id });
    const [bob] = await make.players(1);
    const { handle } = await call('Profiles_getOwn', bob!);
    const profile = { bio: 'Numbers first', country: 'CM', avatarUrl: null, favouriteSports: ['soccer'] };
    await call('Profiles_update', bob!, {}, profile);
    await call('Profiles_search', reader, {}, undefined, `?q=${handle}`);
    await call('Follows_follow', reader, { id: bob!.userId });
    for (const name of ['followers', 'following']) await call(`Follows_${name}`, reader, { handle });
    await call('Blocks_mute', reader, { id: bob!.userId });
    await call('Blocks_muted', reader);
    const { id: contactId } = await call('Contacts_request', reader, {}, { userId: bob!.userId });
    await call('Profiles_getPublic', reader, { handle });
    await call('Contacts_accept', bob!, { id: contactId });
    await call('Contacts_list', reader);
    await call('Contacts_remove', reader, { id: contactId });
    const asked = await call('Contacts_request', reader, {}, { userId: bob!.userId });
    await call('Contacts_decline', bob!, { id: asked.id });
    await call('Follows_unfollow', reader, { id: bob!.userId });
    for (const name of ['unmute', 'block']) await call(`Blocks_${name}`, reader, { id: bob!.userId });
    await call('Blocks_blocked', reader);
    await call('Blocks_unblock', reader, { id: bob!.userId });
    const texts = new Texts(system);
    const phone = '+12015550123';
    const codeFrom = async (operation: string, by: Client, count: number) => {
      const { challengeId } = await call(operation, by, {}, { phone });
      return { challengeId, code: (await texts.codes(phone, count)).at(-1) };
    };
    const toAdd = await codeFrom('Otp_requestPhone', reader, 1);
    await call('Otp_verifyPhone', reader, {}, { phone, ...toAdd });
    await call('Otp_verify', anyone, {}, { phone, ...(await codeFrom('Otp_send', anyone, 2)) });
    await call('Otp_reauthenticate', reader, {}, await codeFrom('Otp_send', anyone, 3));
    await money.deposit(reader, 500_000n);
    const payout = { currency: 'USD', provider: 'sandbox', destination: 'sandbox:paid' };
    await callKyc(call, reader, operator);
    const waits = await call('Withdrawals_request', reader, {}, { ...payout, amount: 300_000 });
    await call('Withdrawals_list', reader);
    await call('WithdrawalsAdmin_list', operator);
    const verdict = { decision: 'approve', note: 'Identity checked' };
    await call('WithdrawalsAdmin_decide', operator, { id: waits.id }, verdict);
    await system.db.query(
      "UPDATE withdrawals SET review = 'paid_unasked', review_at = requested_at WHERE id = $1",
      [waits.id],
    );
    await call('WithdrawalsAdmin_resolve', operator, { id: waits.id });
    await callPayments(system, call, reader, operator);
    await call('Compliance_status', reader);
    await callLimits(system, call, reader);
    await call('RealityChecks_state', reader);
    await call('RealityChecks_choose', reader, {}, { minutes: 30 });
    await call('RealityChecks_acknowledge', reader);
    const [doubt] = await doubtsAboutFeeds(system, 1);
    await call('FeedsAdmin_list', operator);
    await call('FeedsAdmin_doubts', operator);
    await call('FeedsAdmin_decide', operator, { id: doubt! }, { decision: 'dismiss', reason: 'x' });
    const [flagged] = await flagsOfHarm(system, [other!]);
    await call('HarmFlagsAdmin_list', operator);
    await call(
      'HarmFlagsAdmin_decide',
      operator,
      { id: flagged! },
      { decision: 'contacted', note: 'Talked' },
    );
    await call('Compliance_timeOut', reader, {}, { days: 7 });
    const [leaves, returns] = (await make.players(2)) as [Client, Client];
    await call('Compliance_exclude', leaves, {}, { months: 12 });
    await system.db.query(
      `INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at)
       SELECT gen_random_uuid(), $1, 'self_exclusion', at - interval '7 months', at - interval '1 day' FROM parley_now() at`,
      [returns.userId],
    );
    await call('Compliance_askToReturn', returns);
    await call('OAuth_list', reader);
    const device = await call('Devices_register', reader, {}, { platform: 'ios', token: 'token' });
    await call('Devices_list', reader);
    await call('Devices_remove', reader, { id: device.id });
    await call('Exports_request', reader);
    await call('Exports_find', reader);
    const leaver = { email: 'bea@example.com', password: PASSWORD };
    const { user: bea } = await call(
      'Auth_register',
      anyone,
      {},
      { ...account, ...leaver, handle: 'bea', termsVersion: '2026-11' },
    );
    const leaving = await call('Auth_login', anyone, {}, leaver);
    await call(
      'AccountClosing_close',
      new Client(system.url, leaving.accessToken, bea.id),
      {},
      { password: PASSWORD },
    );
    const staying = await call('Auth_login', anyone, {}, leaver);
    await call('AccountClosing_restore', new Client(system.url, staying.accessToken, bea.id));
    const [mails, newPassword] = [new CapturedMails(system), 'staple battery horse'];
    await call('Email_sendAgain', reader);
    await call('Email_verify', reader, {}, { token: await mails.token(account.email) });
    await call('Password_change', reader, {}, { currentPassword: PASSWORD, newPassword });
    await call('Password_forgot', anyone, {}, { email: leaver.email });
    const token = await mails.token(leaver.email);
    await call('Password_reset', anyone, {}, { token, password: newPassword });
    const { secret } = await call('Totp_begin', reader);
    const code = (steps: number) =>
      generateSync({ secret, epoch: Math.floor(system.now().getTime() / 1000) + 30 * steps });
    await call('Totp_confirm', reader, {}, { code: code(-1) });
    const { recoveryCodes } = await call('Totp_renewRecoveryCodes', reader, {}, { code: code(0) });
    const refused = await anyone.post('auth/login', { email: account.email, password: newPassword });
    const { challenge } = refused.error.details;
    await call('Totp_verify', anyone, {}, { challenge, code: code(1) });
    await call('Totp_turnOff', reader, {}, { code: recoveryCodes[0] });
    const [forgetful] = await make.players(1);
    const set = (await forgetful!.post('auth/totp')).data.secret as string;
    const epoch = Math.floor(system.now().getTime() / 1000);
    await forgetful!.post('auth/totp/confirm', { code: generateSync({ secret: set, epoch }) });
    await call('UsersAdmin_removeSecondFactor', operator, { id: forgetful!.userId });
    const sessions = await call('Sessions_list', reader);
    await call('Sessions_end', reader, { id: sessions.find((one: { current: boolean }) => one.current).id });
    const credentials = { email: account.email, password: newPassword };
    const [one, two] = await Promise.all([1, 2].map(() => call('Auth_login', anyone, {}, credentials)));
    await call('Sessions_logout', new Client(system.url, one.accessToken));
    const last = new Client(system.url, two.accessToken);
    await call('Sessions_idleTimeout', last);
    await call('Sessions_chooseIdleTimeout', last, {}, { seconds: 600 });
    await call('Sessions_reauthenticate', last, {}, { password: newPassword });
    await call('Sessions_logoutAll', last);

    expect(api.wrong).toEqual([]);
    expect(api.uncalled()).toEqual([...NOT_CALLED, ...WITH_PROVIDER].toSorted());
  });

  async function adminAgain(admin: Client): Promise<Client> {
    const { rows } = await system.db.query<{ email: string }>('SELECT email FROM users WHERE id = $1', [
      admin.userId,
    ]);
    const signedIn = await new Client(system.url).post('auth/login', {
      email: rows[0]!.email,
      password: PASSWORD,
    });
    return new Client(system.url, signedIn.data.accessToken, admin.userId);
  }
});
