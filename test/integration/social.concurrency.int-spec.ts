import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import type { Answer } from '../support/client.js';
import { lockWaits } from '../support/crash.js';
import { brokenTies, people, type Person } from '../support/people.js';
import { eventually, startSystem, type System } from '../support/system.js';

describe('people, all at once', () => {
  let system: System;
  let crowd: Person[];
  let deadlocksBefore: number;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    crowd = await people(system, new Builders(system), 101);
  });
  afterAll(async () => system.stop());

  beforeEach(async () => {
    await system.db.query('DELETE FROM contacts');
    deadlocksBefore = await deadlocks();
  });
  /** Retried transactions would hide them: the server counts each. */
  afterEach(async () => {
    expect(await brokenTies(system)).toEqual([]);
    expect(await deadlocks()).toBe(deadlocksBefore);
  });

  async function deadlocks(): Promise<number> {
    await system.db.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await system.db.query(
      'SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()',
    );
    return rows[0].n;
  }

  const follow = (from: Person, to: Person) => from.client.post(`users/${to.id}/follow`);
  const unfollow = (from: Person, to: Person) => from.client.call('DELETE', `users/${to.id}/follow`);
  const block = (from: Person, to: Person) => from.client.post(`users/${to.id}/block`);
  const unblock = (from: Person, to: Person) => from.client.call('DELETE', `users/${to.id}/block`);
  const request = (from: Person, to: Person) => from.client.post('contacts/request', { userId: to.id });

  function statuses(answers: readonly Answer[]): Record<string, number> {
    const groups = Object.groupBy(answers, ({ status, error }) => (status === 200 ? 'ok' : error.code));
    return Object.fromEntries(Object.entries(groups).map(([name, list]) => [name, list?.length ?? 0]));
  }

  async function counts(person: Person): Promise<[followers: number, following: number]> {
    const { data } = await person.client.get('users/me');
    return [data.followersCount, data.followingCount];
  }

  it('follow one of them, a hundred at once, and none is refused', async () => {
    const [star, ...fans] = crowd as [Person, ...Person[]];
    expect(statuses(await Promise.all(fans.map((fan) => follow(fan, star))))).toEqual({ ok: 100 });
    expect(await counts(star)).toEqual([100, 0]);
    expect(statuses(await Promise.all(fans.map((fan) => unfollow(fan, star))))).toEqual({ ok: 100 });
    expect(await counts(star)).toEqual([0, 0]);
  });

  it('toggle a hundred times at once, among few, and the counts are those of the follows', async () => {
    const few = crowd.slice(0, 6);
    const toggles = Array.from({ length: 100 }, (_, index) => {
      const [from, to] = [few[index % 6]!, few[((index % 6) + 1 + (index % 5)) % 6]!];
      return index % 3 === 2 ? unfollow(from, to) : follow(from, to);
    });
    expect(statuses(await Promise.all(toggles))).toEqual({ ok: 100 });
  });

  it('follow each other while the other does, without a deadlock', async () => {
    const pairs = Array.from(
      { length: 50 },
      (_, index) => [crowd[2 * index]!, crowd[2 * index + 1]!] as const,
    );
    const answers = await Promise.all(pairs.flatMap(([a, b]) => [follow(a, b), follow(b, a)]));
    expect(statuses(answers)).toEqual({ ok: 100 });
    const { rows } = await system.db.query(
      'SELECT count(*)::int AS n FROM follows a JOIN follows b ON a.follower_id = b.followee_id AND a.followee_id = b.follower_id',
    );
    expect(rows[0].n).toBeGreaterThanOrEqual(100);
  });

  it('follow once, however often it is sent at once, and tell of it once', async () => {
    const [from, to] = [crowd[90]!, crowd[93]!];
    const answers = await Promise.all(Array.from({ length: 30 }, () => follow(from, to)));
    expect(statuses(answers)).toEqual({ ok: 30 });
    const { rows } = await system.db.query(
      "SELECT payload FROM outbox WHERE topic = 'users.followed' AND payload ->> 'followerId' = $1 AND payload ->> 'followeeId' = $2",
      [from.id, to.id],
    );
    expect(rows).toEqual([{ payload: { followerId: from.id, followeeId: to.id } }]);
  });

  it('follow and ask while they are blocked: what is left stands over no block', async () => {
    const few = crowd.slice(10, 16);
    const steps = few.flatMap((from, i) =>
      few
        .filter((to) => to !== from)
        .flatMap((to, j) => [
          follow(from, to),
          request(from, to),
          (i + j) % 3 === 0 ? block(from, to) : follow(from, to),
          (i + j) % 4 === 0 ? unblock(from, to) : request(from, to),
        ]),
    );
    const outcome = statuses(await Promise.all(steps));
    expect(Object.keys(outcome).filter((code) => code !== 'ok' && code !== 'USER_NOT_FOUND')).toEqual([]);
    const { rows } = await system.db.query('SELECT count(*)::int AS n FROM blocks');
    expect(rows[0].n).toBeGreaterThan(0);
  });

  it('ask each other at the same moment and are contacts, once', async () => {
    const pairs = Array.from({ length: 20 }, (_, index) => [crowd[20 + index]!, crowd[60 + index]!] as const);
    const answers = await Promise.all(
      pairs.flatMap(([a, b]) => [request(a, b), request(b, a), request(a, b), request(b, a)]),
    );
    expect(statuses(answers)).toEqual({ ok: 80 });
    const ids = pairs.flatMap(([a]) => a.id);
    const { rows } = await system.db.query(
      'SELECT status, count(*)::int AS n FROM contacts WHERE low_id = ANY ($1) OR high_id = ANY ($1) GROUP BY 1',
      [ids],
    );
    expect(rows).toEqual([{ status: 'accepted', n: 20 }]);
    const { rows: told } = await system.db.query(
      `SELECT topic, count(*)::int AS n, count(DISTINCT payload ->> 'contactId')::int AS contacts FROM outbox
       WHERE topic LIKE 'users.contact-%' AND payload ->> 'contactId' IN (SELECT id::text FROM contacts) GROUP BY 1 ORDER BY 1`,
    );
    expect(told).toEqual([
      { topic: 'users.contact-accepted', n: 20, contacts: 20 },
      { topic: 'users.contact-requested', n: 20, contacts: 20 },
    ]);
  });

  it('accept and decline at the same moment: one of them holds', async () => {
    const [asker, asked] = [crowd[5]!, crowd[80]!];
    const { data } = await request(asker, asked);
    const answers = await Promise.all(
      ['accept', 'decline', 'accept', 'decline'].map((what) =>
        asked.client.call('PUT', `contacts/${data.id}/${what}`),
      ),
    );
    expect(statuses(answers)).toEqual({ ok: 2, CONTACT_STATE_CONFLICT: 2 });
  });

  it('take one handle at the same moment: one has it', async () => {
    const answers = await Promise.all(
      crowd
        .slice(40, 60)
        .map(({ client }) => client.call('PATCH', 'users/me', { body: { handle: 'sought' } })),
    );
    expect(statuses(answers)).toEqual({ ok: 1, HANDLE_TAKEN: 19 });
  });

  it('change their handle once, however many changes are sent at once', async () => {
    const { client, handle, id } = crowd[61]!;
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        client.call('PATCH', 'users/me', { body: { handle: `another_${index}` } }),
      ),
    );
    expect(statuses(answers)).toEqual({ ok: 1, HANDLE_CHANGED_RECENTLY: 9 });
    const { rows } = await system.db.query('SELECT handle FROM handle_reservations WHERE user_id = $1', [id]);
    expect(rows).toEqual([{ handle }]);
  });

  it('cannot have a handle in the moment in which it is given up', async () => {
    const [owner, other] = [crowd[70]!, crowd[71]!];
    const [leaving, waiting] = [await system.db.connect(), await system.db.connect()];
    try {
      await leaving.query('BEGIN');
      await leaving.query("INSERT INTO handle_reservations VALUES ($1, $2, 'infinity')", [
        owner.handle,
        owner.id,
      ]);
      await leaving.query("UPDATE users SET handle = 'moved_on' WHERE id = $1", [owner.id]);
      const taking = waiting.query('UPDATE users SET handle = upper($1) WHERE id = $2', [
        owner.handle,
        other.id,
      ]);
      taking.catch(() => undefined); // looked at below
      await eventually(async () => (await lockWaits(system, 'upper($1)')) > 0);
      await leaving.query('COMMIT');
      await expect(taking).rejects.toMatchObject({ code: '23505', constraint: 'ux_users_handle' });
    } finally {
      leaving.release();
      waiting.release();
    }
  });
});
