import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createApi } from '../../src/bootstrap.js';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { weekBounds } from '../../src/modules/pools/domain/calendar.js';
import type { DrawDto } from '../../src/modules/pools/dto/weeks.dto.js';
import { GroupingService } from '../../src/modules/pools/grouping.service.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { Builders, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const OPENING = '2023-09-27T12:00:00Z';

let system: System;
let make: Builders;
let admin: Client;

beforeAll(async () => {
  system = await startSystemWithRules({ pools: { maxSize: 7 } }, { worker: false, at: OPENING });
  make = new Builders(system);
  admin = await make.admin();
});
afterAll(async () => system.stop());
afterEach(async () => expect(await unbalanced(system)).toEqual([]));

async function weekRow(week: number) {
  const { rows } = await system.db.query('SELECT * FROM weeks WHERE id = $1', [week]);
  return rows[0];
}

async function poolsOf(week: number): Promise<{ id: string; name: string; size: number; members: number }[]> {
  const { rows } = await system.db.query(
    `SELECT p.id, p.name, p.size, (SELECT count(*)::int FROM pool_members m WHERE m.pool_id = p.id) AS members
     FROM pools p WHERE week_id = $1 ORDER BY number`,
    [week],
  );
  return rows;
}

describe('opening a week', () => {
  it('makes it once, however many open it at once: row, partition and deadlines', async () => {
    const weeks = system.app.get(WeeksService);
    await Promise.all(Array.from({ length: 8 }, () => weeks.open(WEEK)));
    const first = await weekRow(WEEK);
    await weeks.open(WEEK);
    expect(await weekRow(WEEK)).toEqual(first);
    expect(first).toMatchObject({
      status: 'open',
      seed_hash: createHash('sha256').update(first.seed).digest('hex'),
    });
    const { rows: partitions } = await system.db.query(
      "SELECT inhparent::regclass::text AS parent FROM pg_inherits WHERE inhrelid = 'bets_202340'::regclass",
    );
    expect(partitions).toEqual([{ parent: 'bets' }]);
    const { rows: deadlines } = await system.db.query(
      "SELECT kind, subject, due_at FROM deadlines WHERE kind LIKE 'week-%' ORDER BY kind",
    );
    const { startsAt, endsAt } = weekBounds(WEEK);
    expect(deadlines).toEqual([
      { kind: 'week-close', subject: '202340', due_at: endsAt },
      { kind: 'week-group', subject: '202340', due_at: startsAt },
      { kind: 'week-open', subject: '202341', due_at: startsAt },
    ]);
  });

  it('tells what it is before the draw, and not the seed', async () => {
    const week = await admin.get('weeks/2023-W40');
    expect(week.data).toMatchObject({
      id: '2023-W40',
      status: 'open',
      startsAt: '2023-10-02T04:00:00.000Z',
      endsAt: '2023-10-09T04:00:00.000Z',
      locksAt: '2023-10-02T04:00:00.000Z',
      nextWeekStartsAt: '2023-10-09T04:00:00.000Z',
      buyBackUntil: '2023-10-07T03:59:59.999Z',
      players: null,
      settledAt: null,
    });
    const draw = await admin.get('weeks/202340/draw');
    expect(draw.data).toMatchObject({
      seed: null,
      entries: [],
      entriesHash: null,
      seedHash: week.data.seedHash,
    });
    expect((await admin.get('weeks/2023-W41')).error.code).toBe('WEEK_NOT_FOUND');
    expect((await admin.get('weeks/2023-W53')).error.code).toBe('WEEK_ID_INVALID');
  });
});

describe('the draw', () => {
  let players: Client[];
  let leftOut: Client[];

  it('waits for the start', async () => {
    const answer = await admin.post('admin/weeks/2023-W40/group');
    expect([answer.status, answer.error.code]).toEqual([409, 'WEEK_STATE_CONFLICT']);
  });

  it('puts every player into exactly one pool, whoever draws at once, and leaves out who may not stake', async () => {
    players = await make.players(23, { pass: WEEK });
    const [excluded, timedOut, banned, minor] = await make.players(4, { pass: WEEK });
    leftOut = [excluded!, timedOut!, banned!, minor!, ...(await make.players(1))];
    await system.app.get(ComplianceService).exclude(excluded!.userId, null);
    await system.app.get(ComplianceService).timeOut(timedOut!.userId, 7);
    await system.db.query("UPDATE users SET status = 'banned' WHERE id = $1", [banned!.userId]);
    // Eighteen a day too late.
    await system.db.query("UPDATE users SET birth_date = '2005-10-03' WHERE id = $1", [minor!.userId]);
    await system.moveTo('2023-10-02T04:00:00Z');
    const other: INestApplicationContext = await (await createApi(system.config)).init();
    try {
      const services = [system.app, other].map((app) => app.get(GroupingService));
      await Promise.all(Array.from({ length: 12 }, (_, n) => services[n % 2]!.group(WEEK, null)));
    } finally {
      await other.close();
    }
    expect(await poolsOf(WEEK)).toMatchObject([
      { name: 'W2023-40-A', size: 6, members: 6 },
      { name: 'W2023-40-B', size: 6, members: 6 },
      { name: 'W2023-40-C', size: 6, members: 6 },
      { name: 'W2023-40-D', size: 5, members: 5 },
    ]);
    const { rows } = await system.db.query(
      `SELECT m.user_id, m.balance::int, m.draw_position FROM pool_members m JOIN week_entries e USING (user_id, week_id, pool_id, draw_position)
       WHERE m.week_id = $1 ORDER BY m.draw_position`,
      [WEEK],
    );
    expect(rows.map((row) => String(row.user_id)).toSorted()).toEqual(
      players.map(({ userId }) => userId).toSorted(),
    );
    expect(rows.map((row) => row.draw_position)).toEqual(Array.from({ length: 23 }, (_, n) => n + 1));
    expect(new Set(rows.map((row) => row.balance))).toEqual(new Set([1000]));
    const { rows: told } = await system.db.query(
      "SELECT payload FROM outbox WHERE topic = 'pools.week-grouped'",
    );
    expect(told).toEqual([{ payload: { weekId: WEEK, players: 23, pools: 4 } }]);
    const { rows: audited } = await system.db.query("SELECT 1 FROM audit_log WHERE action = 'week.group'");
    expect(audited).toHaveLength(1);
  });

  it('changes nothing when it is asked for again', async () => {
    const before = await poolsOf(WEEK);
    const answer = await admin.post('admin/weeks/2023-W40/group');
    expect([answer.status, answer.data.status, answer.data.players]).toEqual([200, 'grouped', 23]);
    expect(await poolsOf(WEEK)).toEqual(before);
  });

  it('can be replayed by anyone from what was published', async () => {
    const page = async (cursor: string): Promise<DrawDto> =>
      (await players[0]!.get<DrawDto>(`weeks/2023-W40/draw?limit=10${cursor}`)).data;
    let proof = await page('');
    const entries = [...proof.entries];
    while (proof.nextCursor !== null) {
      proof = await page(`&cursor=${proof.nextCursor}`);
      entries.push(...proof.entries);
    }
    const ids = entries.map(({ userId }) => userId);
    expect(createHash('sha256').update(ids.join('\n')).digest('hex')).toBe(proof.entriesHash);
    const seed = Buffer.from(proof.seed ?? '', 'hex');
    expect(createHash('sha256').update(seed).digest('hex')).toBe(proof.seedHash);
    expect(proof).toMatchObject({
      entriesCount: 23,
      fill: 'even',
      maxSize: 7,
      algorithm: 'fisher-yates-hmac-sha256',
    });

    const words: number[] = [];
    let block = 0n;
    const nextWord = (): number => {
      if (words.length === 0) {
        const counter = Buffer.alloc(8);
        counter.writeBigUInt64BE(block++);
        const bytes = createHmac('sha256', seed).update(counter).digest();
        for (let at = 0; at < 32; at += 4) words.push(bytes.readUInt32BE(at));
      }
      return words.shift()!;
    };
    const drawn = [...ids];
    for (let i = drawn.length - 1; i > 0; i -= 1) {
      let word = nextWord();
      while (word >= Math.floor(2 ** 32 / (i + 1)) * (i + 1)) word = nextWord();
      const j = word % (i + 1);
      [drawn[i], drawn[j]] = [drawn[j]!, drawn[i]!];
    }
    const byPosition = entries.toSorted((a, b) => a.drawPosition - b.drawPosition);
    expect(byPosition.map(({ userId }) => userId)).toEqual(drawn);
    expect(byPosition.map(({ pool }) => pool.at(-1)).join('')).toBe('AAAAAABBBBBBCCCCCCDDDDD');
  });

  it('shows the members of a pool in the order of the draw, page by page', async () => {
    const [pool] = await poolsOf(WEEK);
    const path = `weeks/2023-W40/pools/${pool!.id}/members`;
    const pages = [await admin.get(`${path}?limit=4`), await admin.get(`${path}?limit=4&page=2`)];
    expect(
      pages.flatMap((page) => page.data.map((row: { drawPosition: number }) => row.drawPosition)),
    ).toEqual([1, 2, 3, 4, 5, 6]);
    expect(pages[1]!.body.meta.pagination).toEqual({ page: 2, limit: 4, total: 6 });
    expect((await admin.get(`weeks/2023-W40/pools/${randomUUID()}/members`)).error.code).toBe(
      'POOL_NOT_FOUND',
    );
    const all = await admin.get('weeks/current/pools');
    expect(all.data.map(({ name, size }: { name: string; size: number }) => `${name} ${size}`)).toEqual([
      'W2023-40-A 6',
      'W2023-40-B 6',
      'W2023-40-C 6',
      'W2023-40-D 5',
    ]);
  });

  it('leaves those it left out without a pool', async () => {
    for (const client of leftOut.filter((_, index) => index !== 2)) {
      const me = await client.get('me');
      expect([me.status, me.data.pool]).toEqual([200, null]);
      expect((await client.get('me/pool')).error.code).toBe('NOT_A_MEMBER');
    }
  });

  it('is behind a pass that comes later: it counts for the next week, and the answer says so', async () => {
    const [late] = (await make.players(1)) as [Client];
    const grant = (body: object) =>
      admin.post(`admin/users/${late.userId}/pass`, body, { key: randomUUID() });
    expect((await grant({ kind: 'week_pass' })).error.code).toBe('WEEK_NOT_OPEN_YET');
    await system.app.get(WeeksService).open(202341);
    const moved = await grant({ kind: 'week_pass', week: '2023-W40' });
    expect([moved.status, moved.data]).toEqual([
      201,
      { kind: 'week_pass', userId: late.userId, week: '2023-W41', movedToNextWeek: true, credits: null },
    ]);
    expect((await grant({ kind: 'week_pass', week: '2023-W41' })).error.code).toBe('PASS_ALREADY_HELD');
    const me = await late.get('me');
    expect(me.data).toMatchObject({ pool: null, nextWeek: { id: '2023-W41', registered: true } });
    const plain = await admin.post(
      `admin/users/${players[0]!.userId}/pass`,
      { kind: 'week_pass' },
      { key: randomUUID() },
    );
    expect(plain.data).toMatchObject({ week: '2023-W41', movedToNextWeek: false });
  });

  it('and a pass that is waiting for it while it runs meet in no gap', async () => {
    await system.moveTo('2023-10-09T03:59:59.900Z');
    const latecomers = await make.players(12);
    await system.app.get(WeeksService).open(202342);
    const granting = latecomers.map(
      async ({ userId }) =>
        await admin.post(
          `admin/users/${userId}/pass`,
          { kind: 'week_pass', week: '202341' },
          { key: randomUUID() },
        ),
    );
    await new Promise((resolve) => setTimeout(resolve, 110));
    await system.app.get(GroupingService).group(202341, null);
    const answers = await Promise.all(granting);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const { rows } = await system.db.query('SELECT user_id FROM week_entries WHERE week_id = 202341');
    const drawn = new Set(rows.map((row) => row.user_id));
    for (const { data } of answers)
      expect([data.week, drawn.has(data.userId)]).toEqual([data.week, data.week === '2023-W41']);
  });
});

describe('a week that ended before it was drawn', () => {
  it('has no pools; its passes count for the next that can be joined, once', async () => {
    await system.moveTo('2023-10-31T12:00:00Z');
    const weeks = system.app.get(WeeksService);
    await weeks.open(202345);
    const players = await make.players(4, { pass: 202345 });
    await system.moveTo('2023-11-14T12:00:00Z'); // within W46
    await weeks.openNext();
    await system.db.query(
      "INSERT INTO week_passes (user_id, week_id, source, created_at) VALUES ($1, 202347, 'payment', now())",
      [players[0]!.userId],
    );
    const grouping = system.app.get(GroupingService);
    await Promise.all(Array.from({ length: 4 }, () => grouping.group(202345, null)));
    await weeks.close(202345);
    expect(await weekRow(202345)).toMatchObject({ status: 'closed', entries_count: 0 });
    expect(await poolsOf(202345)).toEqual([]);
    const { rows: passes } = await system.db.query(
      'SELECT user_id, week_id, source FROM week_passes WHERE user_id = ANY ($1) ORDER BY user_id, week_id',
      [players.map(({ userId }) => userId)],
    );
    const [first, ...others] = players.map(({ userId }) => userId);
    expect(passes).toEqual([
      { user_id: first, week_id: 202345, source: 'admin' },
      { user_id: first, week_id: 202347, source: 'payment' },
      ...others.toSorted().map((userId) => ({ user_id: userId, week_id: 202347, source: 'admin' })),
    ]);
    const { rows: audited } = await system.db.query(
      "SELECT details FROM audit_log WHERE action = 'week.move_passes'",
    );
    expect(audited).toEqual([{ details: { to: 202347, moved: 3, kept: 1 } }]);
  });

  it('opens the week that takes them up when nothing has opened it yet', async () => {
    const weeks = system.app.get(WeeksService);
    await system.moveTo('2023-11-21T12:00:00Z'); // within W47, which was never drawn
    await system.moveTo('2023-11-28T12:00:00Z'); // within W48
    expect(await weekRow(202349)).toBeUndefined();
    await system.app.get(GroupingService).group(202347, null);
    expect(await weekRow(202349)).toMatchObject({ status: 'open' });
    const { rows } = await system.db.query(
      'SELECT count(*)::int AS n FROM week_passes WHERE week_id = 202349',
    );
    expect(rows).toEqual([{ n: 4 }]);
    await weeks.close(202347);
  });
});
