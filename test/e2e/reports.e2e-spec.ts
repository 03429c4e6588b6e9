import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { someone } from '../support/staff.js';
import { startSystem, type System } from '../support/system.js';

const SIMULTANEOUS = 12;

interface Seen {
  id: string;
  subjectId: string;
  reporterId: string;
  openOnSubject: number;
  allOnSubject: number;
}

describe('reports', () => {
  let system: System;
  let make: Builders;
  let moderators: Client[];
  let moderator: Client;
  let culprit: Client;
  let reporters: Client[];

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    await make.week(202340, { group: false });
    moderators = await Promise.all([1, 2, 3].map(() => someone(system, make, 'moderator')));
    moderator = moderators[0]!;
  });
  afterAll(async () => system.stop());

  beforeEach(async () => {
    const players = await make.players(4);
    culprit = players[0]!;
    reporters = players.slice(1);
  });

  const outcome = ({ status, error }: Answer) => [status, error?.code];
  const report = async (by: Client, whom: Client, body: object = { reason: 'spam' }) =>
    await by.post(`users/${whom.userId}/report`, body);
  const decide = async (by: Client, id: string, body: object) =>
    await by.post(`admin/reports/${id}/decide`, { note: 'seen', ...body });
  const inDays = (days: number) => system.now().getTime() + days * 86_400_000;

  async function rowsOn(whom: Client): Promise<Record<string, unknown>[]> {
    const { rows } = await system.db.query('SELECT * FROM reports WHERE subject_id = $1 ORDER BY id', [
      whom.userId,
    ]);
    return rows;
  }

  async function standingOf(whom: Client) {
    const { rows } = await system.db.query<{
      status: string;
      banned_until: Date | null;
      ban_reason: string | null;
    }>('SELECT status, banned_until, ban_reason FROM users WHERE id = $1', [whom.userId]);
    return rows[0]!;
  }

  /** Answers all of it, page by page. */
  async function queue(query: string, limit = 100): Promise<Seen[]> {
    const all: Seen[] = [];
    for (let cursor = ''; ;) {
      const { status, data, body } = await moderator.get(`admin/reports?limit=${limit}${query}${cursor}`);
      expect(status).toBe(200);
      all.push(...data);
      const { nextCursor } = body.meta.pagination;
      if (nextCursor === null) return all;
      cursor = `&cursor=${nextCursor}`;
    }
  }

  describe('are filed', () => {
    it('by a user about another, in their own words to the byte, once while it is open', async () => {
      const note = '‮נאַש "quoted" \\ \' -- %_ <script>alert(1)</script> ＡＢ e\u0301 👩‍👩‍👧 ﷽';
      const first = await report(reporters[0]!, culprit, { reason: 'harassment', note, subjectType: 'user' });
      expect([first.status, first.data]).toMatchObject([
        200,
        { subjectType: 'user', subjectId: culprit.userId, reason: 'harassment', note, status: 'open' },
      ]);
      const again = await report(reporters[0]!, culprit, { reason: 'spam' });
      expect([again.status, again.data]).toEqual([200, first.data]);
      expect((await report(reporters[1]!, culprit)).data.id).not.toBe(first.data.id);
      expect((await rowsOn(culprit)).map(({ note: stored }) => stored)).toEqual([note, null]);
    });

    it('once though sent many times at once', async () => {
      const answers = await Promise.all(
        Array.from({ length: SIMULTANEOUS }, () => report(reporters[0]!, culprit)),
      );
      expect(new Set(answers.map(({ status, data }) => `${status} ${data.id}`)).size).toBe(1);
      expect(await rowsOn(culprit)).toHaveLength(1);
    });

    it('not about oneself, nobody, who is gone, or for no reason', async () => {
      const [by] = reporters as [Client];
      await system.db.query("UPDATE users SET status = 'erased' WHERE id = $1", [reporters[2]!.userId]);
      const before = await fingerprint(system);
      expect(outcome(await report(by, by))).toEqual([422, 'CANNOT_REPORT_YOURSELF']);
      const nobody = new Client(system.url, null, randomUUID());
      expect(outcome(await report(by, nobody))).toEqual([404, 'USER_NOT_FOUND']);
      expect(outcome(await report(by, reporters[2]!))).toEqual([404, 'USER_NOT_FOUND']);
      for (const body of [
        {},
        { reason: 'boring' },
        { reason: 'spam', note: '' },
        { reason: 'spam', note: 'x'.repeat(1001) },
        { reason: 'spam', subjectType: 'match' },
        { reason: 'spam', status: 'dismissed' },
        { reason: 'spam', reporterId: culprit.userId },
      ])
        expect(outcome(await report(by, culprit, body))).toEqual([400, 'VALIDATION_FAILED']);
      expect(await fingerprint(system)).toEqual(before);
    });

    it('at most 50 a day by one user, also when sent at once; what is open already is answered still', async () => {
      const [by] = reporters as [Client];
      const others = await make.players(55);
      const answers = await Promise.all(others.map((whom) => report(by, whom)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
      const refused = answers.find(({ status }) => status !== 200)!;
      expect(outcome(refused)).toEqual([429, 'REPORT_LIMIT_REACHED']);
      const seconds = Number(refused.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(86_000);
      expect(seconds).toBeLessThanOrEqual(86_400);
      const filed = others[answers.findIndex(({ status }) => status === 200)]!;
      expect((await report(by, filed)).status).toBe(200);
      expect((await report(reporters[1]!, culprit)).status).toBe(200);
    });
  });

  describe('wait for moderators', () => {
    it('the oldest first, page by page, with how many there are on the same subject', async () => {
      for (const by of reporters) await report(by, culprit, { reason: 'cheating', note: 'look' });
      const all = await queue('');
      const ids = all.map(({ id }) => id);
      expect(ids).toEqual(ids.toSorted());
      expect((await queue('&status=open', 7)).map(({ id }) => id)).toEqual(ids);
      const ours = all.filter(({ subjectId }) => subjectId === culprit.userId);
      expect(ours.map(({ reporterId }) => reporterId)).toEqual(reporters.map(({ userId }) => userId));
      for (const row of ours)
        expect(row).toMatchObject({
          userId: culprit.userId,
          userHandle: expect.stringMatching(/^player/),
          reporterHandle: expect.stringMatching(/^player/),
          reason: 'cheating',
          note: 'look',
          status: 'open',
          decidedAt: null,
          decidedBy: null,
          decisionNote: null,
          openOnSubject: 3,
          allOnSubject: 3,
        });
    });
  });

  describe('are decided', () => {
    it('all those on the subject together, and then there may be another', async () => {
      const filed = [];
      for (const by of reporters) filed.push((await report(by, culprit)).data.id);
      const answer = await decide(moderator, filed[1], { decision: 'dismiss', note: 'nothing in it' });
      expect([answer.status, answer.data]).toMatchObject([
        200,
        {
          id: filed[1],
          status: 'dismissed',
          decidedBy: moderator.userId,
          decisionNote: 'nothing in it',
          openOnSubject: 0,
          allOnSubject: 3,
        },
      ]);
      expect((await rowsOn(culprit)).map(({ status }) => status)).toEqual(Array(3).fill('dismissed'));
      for (const id of filed)
        expect(outcome(await decide(moderators[1]!, id, { decision: 'ban' }))).toEqual([
          409,
          'REPORT_ALREADY_DECIDED',
        ]);
      expect(await standingOf(culprit)).toMatchObject({ status: 'active' });
      expect((await culprit.get('me')).status).toBe(200);
      const anew = await report(reporters[0]!, culprit);
      expect(filed).not.toContain(anew.data.id);
      const seen = (await queue('')).find(({ id }) => id === anew.data.id)!;
      expect([seen.openOnSubject, seen.allOnSubject]).toEqual([1, 4]);
      const { rows } = await system.db.query(
        "SELECT actor_id, details FROM audit_log WHERE action = 'report.decided' AND subject_id = $1",
        [filed[1]],
      );
      expect(rows).toEqual([
        {
          actor_id: moderator.userId,
          details: { decision: 'dismiss', userId: culprit.userId, reports: 3 },
        },
      ]);
    });

    it('by a ban for some days, which ends the sessions, and shortens no longer one', async () => {
      const { id } = (await report(reporters[0]!, culprit, { reason: 'fraud' })).data;
      expect((await culprit.get('me')).status).toBe(200);
      expect((await decide(moderator, id, { decision: 'ban', banDays: 7 })).data.status).toBe('banned');
      expect(outcome(await culprit.get('me'))).toEqual([401, 'SESSION_ENDED']);
      const { status, banned_until, ban_reason } = await standingOf(culprit);
      expect([status, ban_reason]).toEqual(['banned', 'fraud']);
      expect(Math.abs(Number(banned_until) - inDays(7))).toBeLessThan(60_000);
      const second = (await report(reporters[1]!, culprit)).data.id;
      expect((await decide(moderator, second, { decision: 'ban', banDays: 1 })).status).toBe(200);
      expect(await standingOf(culprit)).toMatchObject({ banned_until });
    });

    it('by a ban for good or for long only by who may: nothing is decided otherwise', async () => {
      const { id } = (await report(reporters[0]!, culprit)).data;
      const before = await fingerprint(system);
      for (const body of [{ decision: 'ban' }, { decision: 'ban', banDays: 31 }])
        expect(outcome(await decide(moderator, id, body))).toEqual([403, 'FORBIDDEN']);
      expect(outcome(await decide(moderator, id, { decision: 'warn', banDays: 3 }))).toEqual([
        400,
        'VALIDATION_FAILED',
      ]);
      expect(outcome(await decide(moderator, randomUUID(), { decision: 'warn' }))).toEqual([
        404,
        'REPORT_NOT_FOUND',
      ]);
      expect(await fingerprint(system)).toEqual(before);
      const admin = await someone(system, make, 'admin');
      expect((await decide(admin, id, { decision: 'ban' })).status).toBe(200);
      expect(await standingOf(culprit)).toMatchObject({ status: 'banned', banned_until: null });
    });

    it('not by whom they are about, nor by a colleague', async () => {
      const [accused, colleague] = moderators as [Client, Client];
      const { id } = (await report(reporters[0]!, accused)).data;
      const before = await fingerprint(system);
      for (const decision of ['dismiss', 'warn', 'ban']) {
        const body = { decision, ...(decision === 'ban' ? { banDays: 1 } : {}) };
        const own = await decide(accused, id, body);
        expect([own.error.code, own.error.details]).toEqual(['NOT_YOURS_TO_JUDGE', { because: 'yourself' }]);
        const other = await decide(colleague, id, body);
        expect([other.error.code, other.error.details]).toEqual(['NOT_YOURS_TO_JUDGE', { because: 'rank' }]);
      }
      expect(await fingerprint(system)).toEqual(before);
      const admin = await someone(system, make, 'admin');
      expect((await decide(admin, id, { decision: 'warn' })).data.status).toBe('warned');
    });

    it('once, by whoever comes first: moderators at once, by different reports on one subject, while more come', async () => {
      const filed: string[] = [];
      for (const by of reporters.slice(0, 2)) filed.push((await report(by, culprit)).data.id);
      const late = await make.players(4);
      const [answers] = await Promise.all([
        Promise.all(
          Array.from({ length: SIMULTANEOUS }, (_, n) =>
            decide(
              moderators[n % 3]!,
              filed[n % 2]!,
              n % 2 ? { decision: 'ban', banDays: n } : { decision: 'warn' },
            ),
          ),
        ),
        Promise.all(late.map((by) => report(by, culprit))),
      ]);
      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      for (const answer of answers.filter((one) => one !== won[0]))
        expect(outcome(answer)).toEqual([409, 'REPORT_ALREADY_DECIDED']);
      const { status, decidedBy } = won[0]!.data;
      const rows = await rowsOn(culprit);
      expect(rows).toHaveLength(6);
      for (const row of rows.filter((one) => filed.includes(String(one['id']))))
        expect(row).toMatchObject({ status, decided_by: decidedBy });
      for (const row of rows) expect(['open', status]).toContain(row['status']);
      expect(await standingOf(culprit)).toMatchObject({
        status: status === 'banned' ? 'banned' : 'active',
      });
      const { rows: audited } = await system.db.query(
        "SELECT 1 FROM audit_log WHERE action = 'report.decided' AND details->>'userId' = $1",
        [culprit.userId],
      );
      expect(audited).toHaveLength(1);
    });
  });
});
