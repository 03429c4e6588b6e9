import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OtpCodesService } from '../../src/modules/auth/otp/otp-codes.service.js';
import { Builders, PASSWORD, type TestMarket } from './builders.js';
import { type Answer, Client } from './client.js';
import { caseOf, handedIn } from './kyc.js';
import { OAuthSystem } from './oauth-system.js';
import { doubtsAboutFeeds } from './feed-doubts.js';
import { flagsOfHarm } from './harm.js';
import { depositOf, differences } from './payments.js';
import { someone } from './staff.js';
import type { System } from './system.js';
import { waitingWithdrawals } from './withdrawals.js';

/** The Big List of Naughty Strings. */
export const NAUGHTY = [
  ...new Set(
    JSON.parse(
      readFileSync(join(import.meta.dirname, '../fixtures/bad-input/blns.json'), 'utf8'),
    ) as string[],
  ),
];
const some = (step: number) => NAUGHTY.filter((_, index) => index % step === 0);
/** Every third: fields of one kind need not all meet every string. */
export const MANY = some(3);
/** For where a request takes its time: a password is hashed, or one follows another. */
export const FEW = some(Math.ceil(NAUGHTY.length / 24));

interface Report {
  id: string;
  userId: string;
  note: string;
}

/** A system with somebody for each string, and what strings can be written about. */
export class NaughtyPlace {
  oauth: OAuthSystem;
  players: Client[];
  reader: Client;
  /** Of 50 reports a day each. */
  reporters: Client[];
  moderator: Client;
  admin: Client;
  markets: TestMarket[] = [];
  /** Of a game that is over: its result can be corrected. */
  gameId: string;
  /** A deposit of plenty, to be given back in small parts. */
  paymentId: string;
  /** Open differences from a provider's books, one for each of FEW. */
  differenceIds: string[] = [];
  /** Withdrawals that wait for an operator, one for each of FEW. */
  withdrawalIds: string[] = [];
  /** Identities that wait for an operator, one for each of FEW. */
  kycIds: string[] = [];
  /** Flags of harm that nobody has decided, one for each of FEW. */
  flagIds: string[] = [];
  /** What a feed said and nobody has decided about, one for each of FEW. */
  doubtIds: string[] = [];
  private reports: Promise<Map<string, Report>> | undefined;
  private count = 0;

  async start(): Promise<void> {
    this.oauth = await OAuthSystem.start();
    const make = new Builders(this.system);
    this.players = await make.players(NAUGHTY.length);
    [this.reader] = (await make.players(1)) as [Client];
    this.reporters = await make.players(Math.ceil(NAUGHTY.length / 50) + 1);
    this.moderator = await someone(this.system, make, 'moderator');
    this.admin = await make.admin();
    while (this.markets.length < FEW.length) {
      const { moneyline, spread, total } = await make.game({ startsAt: '2033-10-08T17:00:00Z' });
      this.markets.push(moneyline, spread, total);
    }
    this.gameId = (await make.game({ startsAt: '2020-10-08T17:00:00Z' })).id;
    await this.correct({ homeScore: 0 });
    this.paymentId = await depositOf(this.system, this.reader.userId);
    this.differenceIds = await differences(this.system, FEW.length);
    this.withdrawalIds = await waitingWithdrawals(this.system, this.players.slice(0, FEW.length));
    this.flagIds = await flagsOfHarm(this.system, this.players.slice(0, FEW.length));
    this.doubtIds = await doubtsAboutFeeds(this.system, FEW.length);
    for (const player of this.players.slice(FEW.length, 2 * FEW.length)) {
      await handedIn(player);
      this.kycIds.push((await caseOf(this.system, player)).id);
    }
  }

  get system(): System {
    return this.oauth.system;
  }

  async correct(over: { homeScore: number; reason?: string }): Promise<Answer> {
    return await this.admin.post(`admin/games/${this.gameId}/result`, {
      status: 'final',
      awayScore: 0,
      ...over,
    });
  }

  account(over: object = {}): Record<string, unknown> {
    this.count += 1;
    return this.oauth.account({ handle: `naughty_${this.count}`, ...over });
  }

  async byPassword(over: object): Promise<Answer> {
    const account = { ...this.account(), email: `${randomUUID()}@example.com`, password: PASSWORD };
    return await this.oauth.anyone.post('auth/register', { ...account, ...over });
  }

  /** Not several at once: it takes the code that was asked for last. */
  async byCode(over: object): Promise<Answer> {
    const account = this.account(over);
    const phone = `+1201555${String(this.count).padStart(4, '0')}`;
    const { data } = await this.oauth.anyone.post('auth/otp/send', { phone });
    const { rows } = await this.system.db.query<{ id: string }>(
      'SELECT id FROM otp_challenges ORDER BY id DESC LIMIT 1',
    );
    const made = await this.system.app.get(OtpCodesService).renew(rows[0]!.id);
    const { challengeId } = data;
    return await this.oauth.anyone.post('auth/otp/verify', { phone, challengeId, code: made?.code, account });
  }

  async byGoogle(body: object): Promise<Answer> {
    const proof = await this.oauth.native('google', this.oauth.person());
    return await this.oauth.enter('google', { ...proof, ...body });
  }

  /** What the audit log tells last of such an action. */
  async lastOf(action: string): Promise<Answer['data']> {
    return (await this.admin.get(`admin/audit?action=${action}&limit=1`)).data[0].details;
  }

  /** What moderators are told, by whom it is about: once all is reported. */
  async reported(): Promise<Map<string, Report>> {
    return await (this.reports ??= this.readReports());
  }

  private async readReports(): Promise<Map<string, Report>> {
    const found = new Map<string, Report>();
    for (let cursor: string | null = ''; cursor !== null;) {
      const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await this.moderator.get(`admin/reports?limit=100${after}`);
      for (const report of body.data as Report[]) found.set(report.userId, report);
      cursor = body.meta.pagination.nextCursor as string | null;
    }
    return found;
  }
}
