import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import type { Answer } from '../support/client.js';
import { people, type Person } from '../support/people.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

describe('contacts', () => {
  let system: System;
  let make: Builders;
  let ada: Person;
  let bob: Person;
  let cyd: Person;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
  });
  afterAll(async () => system.stop());

  beforeEach(async () => {
    [ada, bob, cyd] = (await people(system, make, 3)) as [Person, Person, Person];
  });

  const seen = (answer: Answer) => [answer.status, answer.error?.code];
  const request = (from: Person, to: { id: string }) =>
    from.client.post('contacts/request', { userId: to.id });
  const answer = (by: Person, id: string, what: 'accept' | 'decline') =>
    by.client.call('PUT', `contacts/${id}/${what}`);
  const remove = (by: Person, id: string) => by.client.call('DELETE', `contacts/${id}`);
  const list = async (of: Person, query = '') => (await of.client.get(`contacts${query}`)).data;
  const relation = async (of: Person, to: Person) => {
    const { contact, contactId } = (await of.client.get(`users/${to.handle}`)).data.relationship;
    return [contact, contactId];
  };
  const told = async (id: string): Promise<string[]> => {
    const { rows } = await system.db.query(
      "SELECT topic FROM outbox WHERE payload ->> 'contactId' = $1 ORDER BY created_at, id",
      [id],
    );
    return rows.map(({ topic }) => topic);
  };

  it('are asked for, seen by both, accepted, and ended by either', async () => {
    const asked = await request(ada, bob);
    expect([asked.status, asked.data]).toEqual([
      200,
      {
        id: asked.data.id,
        status: 'pending',
        direction: 'outgoing',
        user: { id: bob.id, handle: bob.handle, displayName: bob.handle, avatarUrl: null },
        requestedAt: expect.stringMatching(/^20/),
        answeredAt: null,
      },
    ]);
    const { id } = asked.data;
    expect(await list(bob)).toMatchObject([
      { id, status: 'pending', direction: 'incoming', user: { id: ada.id } },
    ]);
    expect([await relation(ada, bob), await relation(bob, ada)]).toEqual([
      ['outgoing', id],
      ['incoming', id],
    ]);

    const accepted = await answer(bob, id, 'accept');
    expect(accepted.data).toMatchObject({ id, status: 'accepted', answeredAt: expect.stringMatching(/^20/) });
    expect((await answer(bob, id, 'accept')).data).toEqual(accepted.data);
    expect(await list(ada, '?status=accepted')).toHaveLength(1);
    expect(await relation(ada, bob)).toEqual(['accepted', id]);
    expect(await told(id)).toEqual(['users.contact-requested', 'users.contact-accepted']);

    expect((await remove(ada, id)).status).toBe(200);
    expect([await list(ada), await list(bob)]).toEqual([[], []]);
    expect(seen(await remove(ada, id))).toEqual([404, 'CONTACT_NOT_FOUND']);
    expect((await request(bob, ada)).data.status).toBe('pending');
  });

  it('are one row a pair: asking twice asks once, asking back accepts', async () => {
    const first = await request(ada, bob);
    expect((await request(ada, bob)).data).toEqual(first.data);
    expect(await told(first.data.id)).toEqual(['users.contact-requested']);
    expect((await request(bob, ada)).data).toMatchObject({
      id: first.data.id,
      status: 'accepted',
      direction: 'incoming',
    });
    expect((await request(ada, bob)).data).toMatchObject({ status: 'accepted', direction: 'outgoing' });
    expect((await request(bob, ada)).data.status).toBe('accepted');
    expect(await told(first.data.id)).toEqual(['users.contact-requested', 'users.contact-accepted']);
  });

  it('are answered by whom they were asked of, and by nobody else', async () => {
    const { id } = (await request(ada, bob)).data;
    for (const what of ['accept', 'decline'] as const) {
      expect(seen(await answer(ada, id, what))).toEqual([409, 'CONTACT_NOT_YOURS_TO_ANSWER']);
      expect(seen(await answer(cyd, id, what))).toEqual([404, 'CONTACT_NOT_FOUND']);
      expect(seen(await answer(ada, randomUUID(), what))).toEqual([404, 'CONTACT_NOT_FOUND']);
    }
    expect(seen(await remove(cyd, id))).toEqual([404, 'CONTACT_NOT_FOUND']);
    expect(await list(bob)).toMatchObject([{ status: 'pending' }]);
  });

  it('that were declined are asked for again by who declined at once, by who asked after 30 days', async () => {
    const { id } = (await request(ada, bob)).data;
    const declined = await answer(bob, id, 'decline');
    expect(declined.data.status).toBe('declined');
    expect((await answer(bob, id, 'decline')).data).toEqual(declined.data);
    expect(seen(await answer(bob, id, 'accept'))).toEqual([409, 'CONTACT_STATE_CONFLICT']);
    for (const person of [ada, bob])
      expect(seen(await remove(person, id))).toEqual([409, 'CONTACT_STATE_CONFLICT']);
    const mayAskAt = new Date(Date.parse(declined.data.answeredAt) + 30 * 86_400_000);
    const again = await request(ada, bob);
    expect([...seen(again), again.error.details]).toEqual([
      409,
      'CONTACT_DECLINED',
      { mayAskAt: mayAskAt.toISOString() },
    ]);

    const other = (await request(ada, cyd)).data;
    await answer(cyd, other.id, 'decline');
    expect((await request(cyd, ada)).data).toMatchObject({
      id: other.id,
      status: 'pending',
      direction: 'outgoing',
    });
    expect((await answer(ada, other.id, 'accept')).data.status).toBe('accepted');

    await system.moveTo(new Date(mayAskAt.getTime() + 1000));
    expect((await request(ada, bob)).data).toMatchObject({ id, status: 'pending', answeredAt: null });
    expect(await told(id)).toEqual(['users.contact-requested', 'users.contact-requested']);
  });

  it('that were declined stay so over a block, so that blocking for a moment does not let one ask again', async () => {
    const { id } = (await request(ada, bob)).data;
    await answer(bob, id, 'decline');
    await ada.client.post(`users/${bob.id}/block`);
    expect([await list(ada), await list(bob)]).toEqual([[], []]);
    await ada.client.call('DELETE', `users/${bob.id}/block`);
    expect(seen(await request(ada, bob))).toEqual([409, 'CONTACT_DECLINED']);
  });

  it('end with a block, asked for or accepted, and do not come back', async () => {
    const pending = (await request(ada, bob)).data;
    const accepted = (await request(ada, cyd)).data;
    await answer(cyd, accepted.id, 'accept');
    for (const other of [bob, cyd]) {
      await other.client.post(`users/${ada.id}/block`);
      await other.client.call('DELETE', `users/${ada.id}/block`);
    }
    expect(await list(ada)).toEqual([]);
    const { rows } = await system.db.query('SELECT FROM contacts WHERE id = ANY ($1)', [
      [pending.id, accepted.id],
    ]);
    expect(rows).toEqual([]);
  });

  it('are not oneself, nobody, the banned or anything but a user', async () => {
    await system.db.query("UPDATE users SET status = 'banned' WHERE id = $1", [cyd.id]);
    expect(seen(await request(ada, ada))).toEqual([422, 'YOURSELF']);
    expect(seen(await request(ada, { id: randomUUID() }))).toEqual([404, 'USER_NOT_FOUND']);
    expect(seen(await request(ada, cyd))).toEqual([404, 'USER_NOT_FOUND']);
    for (const body of [
      {},
      { userId: 'x' },
      { userId: null },
      { userId: bob.id, status: 'accepted' },
      { userId: [bob.id] },
    ])
      expect(seen(await ada.client.post('contacts/request', body))).toEqual([400, 'VALIDATION_FAILED']);
    expect(seen(await ada.client.get('contacts?status=removed'))).toEqual([400, 'VALIDATION_FAILED']);
    expect(await list(ada)).toEqual([]);
  });

  it('are listed by the last request, page by page, each once, by state', async () => {
    const others = await people(system, make, 12);
    for (const [index, other] of others.entries())
      await (index % 2 === 0 ? request(ada, other) : request(other, ada));
    const listed: string[] = [];
    for (let cursor = ''; ;) {
      const page = await ada.client.get(`contacts?limit=5${cursor}`);
      listed.push(...page.data.map(({ user }: { user: { id: string } }) => user.id));
      const { nextCursor } = page.body.meta.pagination;
      if (nextCursor === null) break;
      cursor = `&cursor=${nextCursor}`;
    }
    expect(listed).toEqual(others.map(({ id }) => id).toReversed());
    const incoming = (await list(ada, '?status=pending&limit=100')).filter(
      ({ direction }: { direction: string }) => direction === 'incoming',
    );
    expect(incoming).toHaveLength(6);
    for (const { id } of incoming.slice(0, 2)) await answer(ada, id, 'accept');
    await answer(ada, incoming[2].id, 'decline');
    const sizes = await Promise.all(
      ['pending', 'accepted', 'declined'].map(
        async (status) => (await list(ada, `?status=${status}`)).length,
      ),
    );
    expect(sizes).toEqual([9, 2, 1]);
  });
});
