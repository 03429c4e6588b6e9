import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RelationsService } from '../../src/modules/users/social/relations.service.js';
import { Builders } from '../support/builders.js';
import type { Answer } from '../support/client.js';
import { brokenTies, people, type Person } from '../support/people.js';
import { startSystem, type System } from '../support/system.js';

describe('people', () => {
  let system: System;
  let make: Builders;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
  });
  afterAll(async () => system.stop());
  afterEach(async () => {
    expect(await brokenTies(system)).toEqual([]);
  });

  const some = async (count: number) => await people(system, make, count);
  const seen = (answer: Answer) => [answer.status, answer.error?.code];
  const idsIn = (answer: Answer): string[] => answer.data.map(({ id }: { id: string }) => id);
  const act = (from: Person, what: string, to: { id: string }) => from.client.post(`users/${to.id}/${what}`);
  const undo = (from: Person, what: string, to: { id: string }) =>
    from.client.call('DELETE', `users/${to.id}/${what}`);
  const relationship = async (from: Person, to: Person) =>
    (await from.client.get(`users/${to.handle}`)).data?.relationship;

  describe('who follow', () => {
    it('are counted and listed on both sides, however often they say so', async () => {
      const [ada, bob] = (await some(2)) as [Person, Person];
      for (let n = 0; n < 3; n += 1)
        expect((await act(ada, 'follow', bob)).data).toEqual({ following: true, followersCount: 1 });
      expect(await relationship(ada, bob)).toMatchObject({ following: true, followedBy: false });
      expect(await relationship(bob, ada)).toMatchObject({ following: false, followedBy: true });
      expect((await bob.client.get(`users/${bob.handle}/followers`)).data).toEqual([
        { id: ada.id, handle: ada.handle, displayName: ada.handle, avatarUrl: null, following: false },
      ]);
      expect((await ada.client.get(`users/${ada.handle}/following`)).data).toMatchObject([
        { id: bob.id, following: true },
      ]);
      for (let n = 0; n < 3; n += 1)
        expect((await undo(ada, 'follow', bob)).data).toEqual({ following: false, followersCount: 0 });
      expect((await bob.client.get(`users/${bob.handle}/followers`)).data).toEqual([]);
    });

    it('are listed newest first, page by page, each once, while others come', async () => {
      const [star, viewer, ...fans] = (await some(27)) as [Person, Person, ...Person[]];
      for (const fan of fans.slice(0, 23)) await act(fan, 'follow', star);
      const first = await viewer.client.get(`users/${star.handle}/followers?limit=10`);
      for (const fan of fans.slice(23)) await act(fan, 'follow', star);
      const listed = idsIn(first);
      for (let cursor = first.body.meta.pagination.nextCursor; cursor !== null;) {
        const page = await viewer.client.get(`users/${star.handle}/followers?limit=10&cursor=${cursor}`);
        listed.push(...idsIn(page));
        cursor = page.body.meta.pagination.nextCursor;
      }
      expect(listed).toHaveLength(23);
      expect(new Set(listed)).toEqual(new Set(fans.slice(0, 23).map(({ id }) => id)));
    });

    it('are nobody, and follow nobody, and not themselves', async () => {
      const [ada] = (await some(1)) as [Person];
      expect(seen(await act(ada, 'follow', ada))).toEqual([422, 'YOURSELF']);
      expect(seen(await undo(ada, 'follow', ada))).toEqual([422, 'YOURSELF']);
      for (const what of ['follow', 'block', 'mute']) {
        expect(seen(await act(ada, what, { id: randomUUID() }))).toEqual([404, 'USER_NOT_FOUND']);
        expect(seen(await undo(ada, what, { id: randomUUID() }))).toEqual([404, 'USER_NOT_FOUND']);
        expect(seen(await act(ada, what, { id: 'x' }))).toEqual([400, 'VALIDATION_FAILED']);
      }
      expect(seen(await ada.client.get('users/nobody_here/followers'))).toEqual([404, 'USER_NOT_FOUND']);
    });

    it('cannot follow who is banned, but can leave them, and do not see them in lists', async () => {
      const [ada, bob, cyd] = (await some(3)) as [Person, Person, Person];
      await act(ada, 'follow', bob);
      await act(cyd, 'follow', ada);
      await system.db.query("UPDATE users SET status = 'banned' WHERE id = ANY ($1)", [[bob.id, cyd.id]]);
      expect((await ada.client.get(`users/${ada.handle}/following`)).data).toEqual([]);
      expect((await ada.client.get(`users/${ada.handle}/followers`)).data).toEqual([]);
      expect(seen(await ada.client.get(`users/${bob.handle}/followers`))).toEqual([404, 'USER_NOT_FOUND']);
      expect(seen(await act(ada, 'follow', bob))).toEqual([404, 'USER_NOT_FOUND']);
      expect((await undo(ada, 'follow', bob)).status).toBe(200);
    });

    it('are told of in the outbox, the first time', async () => {
      const [ada, bob] = (await some(2)) as [Person, Person];
      await act(ada, 'follow', bob);
      await act(ada, 'follow', bob);
      const { rows } = await system.db.query(
        "SELECT payload FROM outbox WHERE payload ->> 'followeeId' = $1",
        [bob.id],
      );
      expect(rows).toEqual([{ payload: { followerId: ada.id, followeeId: bob.id } }]);
    });
  });

  describe('who block', () => {
    it('and who are blocked do not find each other, anywhere', async () => {
      const [ada, bob, cyd] = (await some(3)) as [Person, Person, Person];
      for (const { client } of [ada, bob])
        await client.call('PATCH', 'users/me', { body: { displayName: 'Quarrelling Neighbour' } });
      for (const [from, to] of [
        [ada, bob],
        [bob, ada],
        [ada, cyd],
        [bob, cyd],
        [cyd, ada],
        [cyd, bob],
      ] as const)
        await act(from, 'follow', to);
      const { data: contact } = await ada.client.post('contacts/request', { userId: bob.id });
      await bob.client.call('PUT', `contacts/${contact.id}/accept`);
      expect((await ada.client.get('contacts')).data).toHaveLength(1);

      expect((await act(ada, 'block', bob)).status).toBe(200);

      for (const [me, other] of [
        [ada, bob],
        [bob, ada],
      ] as const) {
        for (const path of [
          `users/${other.handle}`,
          `users/${other.handle}/followers`,
          `users/${other.handle}/following`,
        ])
          expect(seen(await me.client.get(path))).toEqual([404, 'USER_NOT_FOUND']);
        expect(idsIn(await me.client.get('users?q=quarrelling'))).toEqual([me.id]);
        expect(idsIn(await me.client.get(`users/${cyd.handle}/followers`))).toEqual([me.id]);
        expect(idsIn(await me.client.get(`users/${cyd.handle}/following`))).toEqual([me.id]);
        expect((await me.client.get('contacts')).data).toEqual([]);
        expect((await me.client.get('users/me')).data).toMatchObject({
          followersCount: 1,
          followingCount: 1,
        });
        for (const what of ['follow', 'mute'])
          expect(seen(await act(me, what, other))).toEqual([404, 'USER_NOT_FOUND']);
        expect(seen(await me.client.post('contacts/request', { userId: other.id }))).toEqual([
          404,
          'USER_NOT_FOUND',
        ]);
        for (const what of ['accept', 'decline'])
          expect(seen(await me.client.call('PUT', `contacts/${contact.id}/${what}`))).toEqual([
            404,
            'CONTACT_NOT_FOUND',
          ]);
      }
      expect(idsIn(await cyd.client.get(`users/${cyd.handle}/followers`)).toSorted()).toEqual(
        [ada.id, bob.id].toSorted(),
      );
    });

    it('see whom they blocked, and unblocking brings nothing back', async () => {
      const [ada, bob] = (await some(2)) as [Person, Person];
      await act(ada, 'follow', bob);
      await act(ada, 'block', bob);
      await act(ada, 'block', bob);
      expect((await ada.client.get('users/me/blocks')).data).toEqual([
        { id: bob.id, handle: bob.handle, displayName: bob.handle, avatarUrl: null },
      ]);
      expect((await bob.client.get('users/me/blocks')).data).toEqual([]);
      await undo(bob, 'block', ada); // not theirs to lift
      expect(seen(await ada.client.get(`users/${bob.handle}`))).toEqual([404, 'USER_NOT_FOUND']);
      await undo(ada, 'block', bob);
      await undo(ada, 'block', bob);
      expect(await relationship(ada, bob)).toEqual({
        following: false,
        followedBy: false,
        muted: false,
        contact: 'none',
        contactId: null,
      });
      expect((await ada.client.get('users/me/blocks')).data).toEqual([]);
    });

    it('each other stay apart until both have lifted it', async () => {
      const [ada, bob] = (await some(2)) as [Person, Person];
      await act(ada, 'block', bob);
      expect((await act(bob, 'block', ada)).status).toBe(200);
      await undo(ada, 'block', bob);
      expect(seen(await ada.client.get(`users/${bob.handle}`))).toEqual([404, 'USER_NOT_FOUND']);
      await undo(bob, 'block', ada);
      expect((await ada.client.get(`users/${bob.handle}`)).status).toBe(200);
    });

    it('do not block themselves', async () => {
      const [ada] = (await some(1)) as [Person];
      expect(seen(await act(ada, 'block', ada))).toEqual([422, 'YOURSELF']);
    });

    it('are told of to the modules above, by service and by SQL', async () => {
      const [ada, bob, cyd, dan] = (await some(4)) as [Person, Person, Person, Person];
      await act(ada, 'block', bob);
      await act(cyd, 'block', ada);
      await act(ada, 'mute', dan);
      const relations = system.app.get(RelationsService);
      const all = [ada.id, bob.id, cyd.id, dan.id];
      expect(await relations.hiddenFrom(ada.id, all)).toEqual(new Set([bob.id, cyd.id]));
      expect(await relations.hiddenFrom(dan.id, all)).toEqual(new Set());
      expect(await relations.mutedBy(ada.id, all)).toEqual(new Set([dan.id]));
      expect(await relations.mutedBy(dan.id, all)).toEqual(new Set());
      const { rows } = await system.db.query(
        'SELECT users_blocked($1, $2) AS ab, users_blocked($2, $1) AS ba, users_blocked($1, $3) AS ad',
        [ada.id, bob.id, dan.id],
      );
      expect(rows).toEqual([{ ab: true, ba: true, ad: false }]);
    });
  });

  describe('who mute', () => {
    it('do it one way, and the other is not told', async () => {
      const [ada, bob] = (await some(2)) as [Person, Person];
      await act(bob, 'follow', ada);
      await act(ada, 'mute', bob);
      await act(ada, 'mute', bob);
      expect(await relationship(ada, bob)).toMatchObject({ muted: true, followedBy: true });
      expect(await relationship(bob, ada)).toMatchObject({ muted: false, following: true });
      expect(idsIn(await ada.client.get('users/me/mutes'))).toEqual([bob.id]);
      expect((await bob.client.get('users/me/mutes')).data).toEqual([]);
      await undo(ada, 'mute', bob);
      expect((await ada.client.get('users/me/mutes')).data).toEqual([]);
      expect(seen(await act(ada, 'mute', ada))).toEqual([422, 'YOURSELF']);
    });
  });
});
