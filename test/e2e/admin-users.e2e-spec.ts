import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders, PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { SignUps } from '../support/sign-ups.js';
import { someone } from '../support/staff.js';
import { eventually, startSystem, type System } from '../support/system.js';

const DAY_MS = 86_400_000;

interface Entry {
  subjectId: string;
  action: string;
}

describe('the users, to operators', () => {
  let system: System;
  let make: Builders;
  let admin: Client;
  let compliance: Client;
  let moderator: Client;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    await make.week(202340, { group: false });
    admin = await someone(system, make, 'admin');
    compliance = await someone(system, make, 'compliance');
    moderator = await someone(system, make, 'moderator');
  });
  afterAll(async () => system.stop());

  const outcome = ({ status, error }: Answer) => [status, error?.code];
  const patch = async (by: Client, whom: Client, body: object) =>
    await by.call('PATCH', `admin/users/${whom.userId}`, { body });
  const player = async () => (await make.players(1))[0]!;
  const inDays = (days: number) => new Date(system.now().getTime() + days * DAY_MS).toISOString();

  async function auditOf(whom: Client): Promise<unknown[]> {
    const { rows } = await system.db.query(
      'SELECT actor_id, action, details FROM audit_log WHERE subject_id = $1 ORDER BY at, id',
      [whom.userId],
    );
    return rows.map(({ actor_id, action, details }) => [actor_id, action, details]);
  }

  /** What a change would show in; the worker is busy with the weeks meanwhile. */
  async function kept(whom: Client): Promise<unknown> {
    const { users, refresh_tokens: tokens } = await fingerprint(system);
    return { users, tokens, audit: await auditOf(whom) };
  }

  async function refusedUnchanged(by: Client, whom: Client, body: object): Promise<unknown[]> {
    const before = await kept(whom);
    const answer = await patch(by, whom, body);
    expect(await kept(whom)).toEqual(before);
    return [answer.status, answer.error.code, answer.error.details];
  }

  describe('are found', () => {
    it('by part of a name, by status and by role, the newest first, in pages', async () => {
      const wanted = [await player(), await player(), await player()];
      for (const [n, { userId }] of wanted.entries())
        await system.db.query('UPDATE users SET handle = $2, display_name = $3 WHERE id = $1', [
          userId,
          `Zed_${n}`,
          `Zoë ${n}`,
        ]);
      await system.db.query("UPDATE users SET role = 'seller' WHERE id = $1", [wanted[0]!.userId]);
      const ids = wanted.map(({ userId }) => userId).toReversed();
      const found = async (query: string) =>
        (await admin.get(`admin/users?${query}`)).data.map(({ id }: { id: string }) => id);
      expect(await found('q=zed_')).toEqual(ids);
      expect(await found('q=ZOE')).toEqual(ids);
      expect(await found('q=zed_&role=seller')).toEqual([ids[2]]);
      expect(await found('q=zed_&status=banned')).toEqual([]);
      expect(await found(`q=${ids[1]}`)).toEqual([ids[1]]);
      for (const nothing of ['zed%25', 'z_d', 'zed%5C', "' OR 1=1 --"])
        expect(await found(`q=${nothing}`)).toEqual([]);
      const second = await admin.get('admin/users?q=zed&page=2&limit=2');
      expect(second.data.map(({ id }: { id: string }) => id)).toEqual([ids[2]]);
      expect(second.body.meta.pagination).toEqual({ page: 2, limit: 2, total: 3 });
    });

    it('by email, and with it, only by those who may see it', async () => {
      const someoneElse = await player();
      const email = `${randomUUID()}@example.com`;
      await system.db.query('UPDATE users SET email = $2 WHERE id = $1', [someoneElse.userId, email]);
      for (const by of [admin, compliance])
        expect((await by.get(`admin/users?q=${email.toUpperCase()}`)).data).toMatchObject([
          {
            id: someoneElse.userId,
            email,
            role: 'user',
            status: 'active',
            bannedUntil: null,
            banReason: null,
          },
        ]);
      expect((await moderator.get(`admin/users?q=${email}`)).data).toEqual([]);
      expect((await moderator.get(`admin/users?q=${someoneElse.userId}`)).data).toMatchObject([
        { id: someoneElse.userId, email: null },
      ]);
    });
  });

  describe('change their role', () => {
    it('by an admin: all their sessions end at once, and it is in the audit log', async () => {
      const one = await player();
      expect((await one.get('me')).status).toBe(200);
      const answer = await patch(admin, one, { role: 'moderator', reason: 'staffing' });
      expect([answer.status, answer.data.role]).toEqual([200, 'moderator']);
      expect(outcome(await one.get('me'))).toEqual([401, 'SESSION_ENDED']);
      expect(await auditOf(one)).toEqual([
        [admin.userId, 'user.role-changed', { from: 'user', to: 'moderator', reason: 'staffing' }],
      ]);
    });

    it('not to the one they have: nothing happens and sessions go on', async () => {
      const one = await player();
      expect((await patch(admin, one, { role: 'user', status: 'active', reason: 'other' })).status).toBe(200);
      expect((await one.get('me')).status).toBe(200);
      expect(await auditOf(one)).toEqual([]);
    });

    it('never themselves, nor by anyone but an admin', async () => {
      const one = await player();
      for (const by of [admin, compliance, moderator])
        expect(await refusedUnchanged(by, by, { role: 'user', reason: 'staffing' })).toEqual([
          403,
          'NOT_YOURS_TO_JUDGE',
          { because: 'yourself' },
        ]);
      for (const by of [compliance, moderator])
        expect(await refusedUnchanged(by, one, { role: 'admin', reason: 'staffing' })).toEqual([
          403,
          'FORBIDDEN',
          { permission: 'users.role' },
        ]);
    });

    it('so that an admin is left when all admins demote each other at once', async () => {
      const others = await Promise.all(Array.from({ length: 3 }, () => someone(system, make, 'admin')));
      const all = [admin, ...others];
      const pairs = all.flatMap((by) => all.filter((whom) => whom !== by).map((whom) => [by, whom] as const));
      const answers = await Promise.all(
        pairs.map(([by, whom]) => patch(by, whom, { role: 'user', reason: 'staffing' })),
      );
      for (const { status } of answers) expect([200, 401, 403]).toContain(status);
      const { rows } = await system.db.query<{ id: string }>("SELECT id FROM users WHERE role = 'admin'");
      expect(rows).toHaveLength(1);
      admin = await someone(system, make, 'admin');
    });
  });

  describe('are banned', () => {
    it('for a while: sessions end, sign-in says until when and why, and the ban ends by itself', async () => {
      const account = await new SignUps(system, 'banned').open();
      const anyone = new Client(system.url);
      const one = account.client;
      expect((await one.get('me')).status).toBe(200);
      const until = inDays(7);
      const answer = await patch(moderator, one, { status: 'banned', bannedUntil: until, reason: 'spam' });
      expect([answer.status, answer.data]).toMatchObject([
        200,
        { status: 'banned', bannedUntil: until, banReason: 'spam', role: 'user' },
      ]);
      expect(outcome(await one.get('me'))).toEqual([401, 'SESSION_ENDED']);
      expect(outcome(await anyone.post('auth/refresh', { refreshToken: account.refreshToken }))).toEqual([
        401,
        'REFRESH_TOKEN_INVALID',
      ]);
      const login = () => anyone.post('auth/login', { email: account.email, password: PASSWORD });
      const refused = await login();
      expect(outcome(refused)).toEqual([403, 'BANNED']);
      expect(refused.error.details).toEqual({ until, reason: 'spam' });

      await system.moveTo(new Date(Date.parse(until) - 60_000));
      expect(outcome(await login())).toEqual([403, 'BANNED']);
      await system.moveTo(until);
      await eventually(async () => (await login()).status === 200);
      expect(await auditOf(one)).toEqual([
        [moderator.userId, 'user.banned', { until, reason: 'spam' }],
        [null, 'user.ban-ended', {}],
      ]);
      // The clock has moved past the life of the tokens made above.
      moderator = await someone(system, make, 'moderator');
      compliance = await someone(system, make, 'compliance');
      admin = await someone(system, make, 'admin');
    });

    it('for good by compliance, which no moderator may touch', async () => {
      const one = await player();
      const answer = await patch(compliance, one, { status: 'banned', reason: 'fraud' });
      expect([answer.status, answer.data.bannedUntil]).toEqual([200, null]);
      for (const body of [{ status: 'active' }, { status: 'banned', bannedUntil: inDays(1) }])
        expect(await refusedUnchanged(moderator, one, { ...body, reason: 'appeal' })).toEqual([
          403,
          'FORBIDDEN',
          { permission: 'users.ban' },
        ]);
      expect((await patch(compliance, one, { status: 'active', reason: 'appeal' })).data.status).toBe(
        'active',
      );
      expect((await auditOf(one)).map((entry) => (entry as unknown[])[1])).toEqual([
        'user.banned',
        'user.unbanned',
      ]);
    });

    it('for long by compliance, which no moderator may touch on its last day either', async () => {
      const one = await player();
      const ban = { status: 'banned', bannedUntil: inDays(60), reason: 'fraud' };
      expect((await patch(compliance, one, ban)).status).toBe(200);
      await system.db.query('UPDATE users SET banned_until = $2 WHERE id = $1', [one.userId, inDays(1)]);
      for (const body of [{ status: 'active' }, { status: 'banned', bannedUntil: inDays(2) }])
        expect((await refusedUnchanged(moderator, one, { ...body, reason: 'appeal' }))[0]).toBe(403);
      expect((await patch(compliance, one, { status: 'active', reason: 'appeal' })).status).toBe(200);
      const short = { status: 'banned', bannedUntil: inDays(2), reason: 'spam' };
      expect((await patch(compliance, one, short)).status).toBe(200);
      expect((await patch(moderator, one, { status: 'active', reason: 'appeal' })).status).toBe(200);
    });

    it('for longer, or for good, in the middle of a ban: the end that was set before does nothing', async () => {
      const [longer, forGood] = [await player(), await player()];
      for (const one of [longer, forGood])
        await patch(admin, one, { status: 'banned', bannedUntil: inDays(1), reason: 'hate' });
      const later = inDays(20);
      await patch(admin, longer, { status: 'banned', bannedUntil: later, reason: 'hate' });
      await patch(admin, forGood, { status: 'banned', reason: 'hate' });
      await system.moveTo(inDays(2));
      const third = await player();
      admin = await someone(system, make, 'admin');
      await patch(admin, third, { status: 'banned', bannedUntil: inDays(1), reason: 'hate' });
      await system.moveTo(inDays(2));
      const statusOf = async (one: Client) =>
        (await system.db.query<{ status: string }>('SELECT status FROM users WHERE id = $1', [one.userId]))
          .rows[0]!.status;
      await eventually(async () => (await statusOf(third)) === 'active');
      expect([await statusOf(longer), await statusOf(forGood)]).toEqual(['banned', 'banned']);
      await system.moveTo(later);
      await eventually(async () => (await statusOf(longer)) === 'active');
      expect(await statusOf(forGood)).toBe('banned');
      moderator = await someone(system, make, 'moderator');
      compliance = await someone(system, make, 'compliance');
      admin = await someone(system, make, 'admin');
    });

    it('not by those who have no say about them', async () => {
      const colleagues = [await someone(system, make, 'moderator'), compliance, admin];
      for (const whom of colleagues)
        expect(
          await refusedUnchanged(moderator, whom, {
            status: 'banned',
            bannedUntil: inDays(1),
            reason: 'spam',
          }),
        ).toEqual([403, 'NOT_YOURS_TO_JUDGE', { because: 'rank' }]);
      const one = await player();
      for (const bannedUntil of [inDays(31), undefined])
        expect(
          await refusedUnchanged(moderator, one, { status: 'banned', bannedUntil, reason: 'spam' }),
        ).toEqual([403, 'FORBIDDEN', { permission: 'users.ban' }]);
    });

    it('not by a request that makes no sense', async () => {
      const one = await player();
      const reason = 'spam';
      const past = inDays(-1);
      const cases: [object, number, string][] = [
        [{ reason }, 400, 'VALIDATION_FAILED'],
        [{ role: 'seller', bannedUntil: inDays(1), reason }, 400, 'VALIDATION_FAILED'],
        [{ status: 'active', bannedUntil: inDays(1), reason }, 400, 'VALIDATION_FAILED'],
        [{ status: 'erased', reason }, 400, 'VALIDATION_FAILED'],
        [{ role: 'owner', reason }, 400, 'VALIDATION_FAILED'],
        [{ status: 'banned' }, 400, 'VALIDATION_FAILED'],
        [{ status: 'banned', reason: 'x' }, 400, 'VALIDATION_FAILED'],
        [{ status: 'banned', bannedUntil: past, reason }, 422, 'BAN_END_PAST'],
        [{ role: 'seller', status: 'banned', bannedUntil: past, reason }, 422, 'BAN_END_PAST'],
      ];
      for (const [body, status, code] of cases)
        expect((await refusedUnchanged(admin, one, body)).slice(0, 2)).toEqual([status, code]);
      const nobody = new Client(system.url, null, randomUUID());
      expect((await refusedUnchanged(admin, nobody, { role: 'seller', reason })).slice(0, 2)).toEqual([
        404,
        'USER_NOT_FOUND',
      ]);
      await system.db.query("UPDATE users SET status = 'erased' WHERE id = $1", [one.userId]);
      expect((await refusedUnchanged(admin, one, { status: 'banned', reason })).slice(0, 2)).toEqual([
        409,
        'USER_ERASED',
      ]);
    });
  });

  describe('leave traces in the audit log, which', () => {
    it('is read by actor, subject, action and time, the newest first, page by page', async () => {
      const by = await someone(system, make, 'admin');
      const [one, two] = [await player(), await player()];
      const start = system.now();
      await patch(by, one, { role: 'seller', reason: 'other' });
      await patch(by, two, { role: 'seller', reason: 'other' });
      await patch(by, two, { status: 'banned', reason: 'fraud' });
      const ask = async (query: string) => {
        const { status, data } = await compliance.get(`admin/audit?${query}`);
        expect(status).toBe(200);
        return data.map(({ subjectId, action }: Entry) => [subjectId, action]);
      };
      const all = [
        [two.userId, 'user.banned'],
        [two.userId, 'user.role-changed'],
        [one.userId, 'user.role-changed'],
      ];
      expect(await ask(`actor=${by.userId}`)).toEqual(all);
      expect(await ask(`subject=${two.userId}`)).toEqual(all.slice(0, 2));
      expect(await ask(`actor=${by.userId}&action=user.role-changed`)).toEqual(all.slice(1));
      expect(await ask(`actor=${by.userId}&from=${start.toISOString()}`)).toEqual(all);
      expect(await ask(`actor=${by.userId}&to=${start.toISOString()}`)).toEqual([]);
      expect(await ask(`actor=${by.userId}&from=${inDays(1)}`)).toEqual([]);
      const first = await compliance.get(`admin/audit?actor=${by.userId}&limit=2`);
      const { nextCursor } = first.body.meta.pagination;
      const second = await compliance.get(`admin/audit?actor=${by.userId}&limit=2&cursor=${nextCursor}`);
      expect([first.data.length, second.data.length, second.body.meta.pagination.nextCursor]).toEqual([
        2,
        1,
        null,
      ]);
      expect([...first.data, ...second.data].map(({ subjectId }) => subjectId)).toEqual(
        all.map(([id]) => id),
      );
      expect(first.data[0]).toMatchObject({
        actorId: by.userId,
        subjectType: 'user',
        details: { until: null, reason: 'fraud' },
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
    });
  });
});
