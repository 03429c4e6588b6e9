import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { KycService } from '../../src/modules/compliance/kyc/kyc.service.js';
import { Builders } from '../support/builders.js';
import { CapturedMails } from '../support/captured-mails.js';
import type { Answer, Client } from '../support/client.js';
import { caseOf, handedIn, jpeg, PASSPORT, patiently, png, upload } from '../support/kyc.js';
import { someone } from '../support/staff.js';
import { eventually, startSystem, type System } from '../support/system.js';

const codes = (answers: readonly Answer[]) => {
  const found: Record<string, number> = {};
  for (const { status, error } of answers) {
    const code = error?.code ?? String(status);
    found[code] = (found[code] ?? 0) + 1;
  }
  return found;
};

/** From nothing to known by uploads and an operator: over HTTP alone. */
describe('showing who one is', () => {
  let system: System;
  let make: Builders;
  let officer: Client;
  let colleague: Client;

  beforeAll(async () => {
    system = await startSystem({ at: '2026-03-04T12:00:00Z' });
    make = new Builders(system);
    officer = await someone(system, make, 'compliance');
    colleague = await someone(system, make, 'compliance');
  });
  afterAll(async () => system.stop());

  const player = async (birthDate = '1990-01-01') => (await make.players(1, { birthDate }))[0]!;
  const decide = (id: string, body: object, by = officer) =>
    by.post(`admin/kyc/${id}/decide`, { round: 1, ...body });
  const approve = (id: string, over: object = {}, by = officer) =>
    decide(id, { decision: 'approve', birthDate: '1990-01-01', ...over }, by);
  const filesIn = (folder: string): string[] =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [];
  const fileOf = (id: string) => filesIn(system.config.DOCUMENTS_DIR).find((path) => path.endsWith(id));

  it('begins with nothing known, and tells what is missing', async () => {
    const client = await player();
    const nothing = await client.get('compliance/kyc');
    expect([nothing.status, nothing.data.state, nothing.data.provider]).toEqual([200, 'none', null]);
    const begun = await client.post('compliance/kyc', { document: 'id_card', country: 'FR' });
    expect([begun.status, begun.data]).toEqual([
      201,
      {
        state: 'pending',
        provider: 'manual',
        document: 'id_card',
        country: 'FR',
        parts: ['front', 'back', 'selfie'],
        missing: ['front', 'back', 'selfie'],
        reason: null,
        url: null,
        clientSecret: null,
        startedAt: expect.any(String),
        submittedAt: null,
        decidedAt: null,
        expiresAt: null,
      },
    ]);
    expect((await client.get('compliance/kyc')).data).toEqual(begun.data);
    const another = await client.post('compliance/kyc', PASSPORT);
    expect(another.data).toMatchObject({
      state: 'pending',
      document: 'passport',
      missing: ['front', 'selfie'],
    });
    expect(
      (await system.db.query('SELECT 1 FROM kyc_cases WHERE user_id = $1', [client.userId])).rowCount,
    ).toBe(1);
  });

  it('goes by uploads to an operator, whose word is the age of the user from then on', async () => {
    const client = await player('1991-05-05');
    const socket = io(`${system.url}/notifications`, {
      auth: { token: client.token },
      transports: ['websocket'],
    });
    const told: string[] = [];
    socket.on('kyc:updated', (payload: { state: string }) => told.push(payload.state));
    await new Promise<void>((resolve) => socket.on('connect', resolve));
    const mails = new CapturedMails(system);
    await client.post('compliance/kyc', PASSPORT);
    const [front, selfie] = [png(5000), jpeg(700_000)];
    const first = await upload(client, 'front', front, 'image/png');
    expect([first.status, first.data.state, first.data.missing]).toEqual([201, 'pending', ['selfie']]);
    const last = await upload(client, 'selfie', selfie, 'image/jpeg');
    expect([last.status, last.data.state, last.data.missing]).toEqual([201, 'in_review', []]);

    const queue = (await officer.get('admin/kyc')).data as { id: string; userId: string }[];
    const { id } = queue.find(({ userId }) => userId === client.userId)!;
    const { data: detail } = await officer.get(`admin/kyc/${id}`);
    expect(detail).toMatchObject({
      state: 'in_review',
      birthDate: '1991-05-05',
      othersWithDocument: 0,
      round: 1,
    });
    const documents = detail.documents as { id: string; part: string; mediaType: string; bytes: number }[];
    expect(documents.map(({ part, mediaType, bytes }) => [part, mediaType, bytes])).toEqual([
      ['front', 'image/png', 5000],
      ['selfie', 'image/jpeg', 700_000],
    ]);

    const file = await fetch(`${system.url}/api/v1/admin/kyc/${id}/documents/${documents[1]!.id}`, {
      headers: { Authorization: `Bearer ${officer.token}` },
    });
    expect([file.status, file.headers.get('content-type'), file.headers.get('cache-control')]).toEqual([
      200,
      'image/jpeg',
      'private, no-store',
    ]);
    expect(Buffer.from(await file.arrayBuffer()).equals(selfie)).toBe(true);
    const onDisk = readFileSync(fileOf(documents[0]!.id)!);
    expect(onDisk.includes(front.subarray(0, 64))).toBe(false);

    const { status, data } = await approve(id, {
      birthDate: '1991-05-06',
      documentEnds: '2027-01-31',
      number: 'ab 12-34',
    });
    expect([status, data.state, data.decidedBy, data.expiresAt]).toEqual([
      200,
      'verified',
      officer.userId,
      '2027-02-01T12:00:00.000Z',
    ]);
    expect((await client.get('compliance/kyc')).data).toMatchObject({ state: 'verified', missing: [] });
    const age = await client.post('compliance/age', PASSPORT);
    expect([age.status, age.data]).toMatchObject([201, { birthDate: '1991-05-06', verified: true }]);
    const { rows } = await system.db.query(
      `SELECT action, actor_id, details::text FROM audit_log WHERE subject_type = 'kyc_case' AND subject_id = $1 ORDER BY id`,
      [id],
    );
    expect(rows.map(({ action, actor_id }) => [action, actor_id])).toEqual([
      ['kyc.started', client.userId],
      ['kyc.document-uploaded', client.userId],
      ['kyc.document-uploaded', client.userId],
      ['kyc.in-review', null],
      ['kyc.document-viewed', officer.userId],
      ['kyc.verified', officer.userId],
    ]);
    expect(JSON.stringify(rows)).not.toMatch(/1991|1234/);
    const { rows: stored } = await system.db.query(
      'SELECT to_jsonb(k)::text AS text FROM kyc_cases k WHERE id = $1',
      [id],
    );
    expect(stored[0].text).not.toMatch(/1234/);
    await eventually(() =>
      Promise.resolve(mails.sent.some(({ subject }) => subject === 'Your identity is verified')),
    );
    await eventually(() => Promise.resolve(told.length === 2));
    expect(new Set(told)).toEqual(new Set(['in_review', 'verified']));
    socket.disconnect();
  });

  it('is one case, however often it is begun at once', async () => {
    const client = await player();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => patiently(() => client.post('compliance/kyc', PASSPORT))),
    );
    expect(codes(answers)).toEqual({ 201: 50 });
    const { rows } = await system.db.query('SELECT status FROM kyc_cases WHERE user_id = $1', [
      client.userId,
    ]);
    expect(rows).toEqual([{ status: 'pending' }]);
  });

  it('takes each part once, from whoever sends it fifty times at once', async () => {
    const client = await player();
    await client.post('compliance/kyc', PASSPORT);
    const same = png();
    const alike = await Promise.all(
      Array.from({ length: 25 }, () => patiently(() => upload(client, 'front', same))),
    );
    expect(codes(alike)).toEqual({ 201: 25 });
    const different = await Promise.all(
      Array.from({ length: 25 }, () => patiently(() => upload(client, 'selfie'))),
    );
    const found = codes(different);
    expect(found['201']).toBe(1);
    expect(
      Object.keys(found).filter((code) => !['201', 'KYC_PART_SENT', 'KYC_IN_REVIEW'].includes(code)),
    ).toEqual([]);
    const { id } = await caseOf(system, client);
    const { rows } = await system.db.query(
      'SELECT id, part FROM kyc_documents WHERE case_id = $1 ORDER BY part',
      [id],
    );
    expect(rows.map(({ part }) => part)).toEqual(['front', 'selfie']);
    // What was not taken is not kept either.
    const { rows: all } = await system.db.query<{ id: string }>('SELECT id FROM kyc_documents');
    const names = filesIn(system.config.DOCUMENTS_DIR).map((path) => path.slice(-36));
    expect(names.toSorted()).toEqual(all.map((row) => row.id).toSorted());
  });

  it('refuses what is no document, and keeps nothing of it', async () => {
    const client = await player();
    const before = filesIn(system.config.DOCUMENTS_DIR).length;
    expect((await upload(client, 'front')).error.code).toBe('KYC_NOT_STARTED');
    await client.post('compliance/kyc', PASSPORT);
    const { maxBytes } = { maxBytes: 10 * 1024 * 1024 };
    const page = Buffer.from('<html><script>alert(1)</script></html>');
    const cases: [string, () => Promise<Answer>, [number, string]][] = [
      ['a page that says it is a PNG', () => upload(client, 'front', page), [415, 'KYC_FILE_TYPE']],
      ['nothing', () => upload(client, 'front', Buffer.alloc(0)), [400, 'KYC_FILE_EMPTY']],
      ['another type', () => upload(client, 'front', png(), 'image/gif'), [415, 'UNSUPPORTED_MEDIA_TYPE']],
      ['a page', () => upload(client, 'front', page, 'text/html'), [415, 'UNSUPPORTED_MEDIA_TYPE']],
      ['JSON', () => upload(client, 'front', '{"file":"x"}', 'application/json'), [400, 'VALIDATION_FAILED']],
      ['no JSON', () => upload(client, 'front', '{', 'application/json'), [400, 'MALFORMED_JSON']],
      [
        'something packed',
        () => upload(client, 'front', png(), 'image/png', { 'Content-Encoding': 'gzip' }),
        [415, 'UNSUPPORTED_MEDIA_TYPE'],
      ],
      ['too much', () => upload(client, 'front', png(maxBytes + 1)), [413, 'BODY_TOO_LARGE']],
      ['a part it has not', () => upload(client, 'back'), [422, 'KYC_PART_NOT_ASKED']],
      ['a part there is not', () => upload(client, 'inside'), [400, 'VALIDATION_FAILED']],
      ['a part like a path', () => upload(client, '../front'), [400, 'VALIDATION_FAILED']],
    ];
    for (const [what, send, expected] of cases) {
      const { status, error } = await send();
      expect([what, status, error.code]).toEqual([what, ...expected]);
    }
    expect(filesIn(system.config.DOCUMENTS_DIR)).toHaveLength(before);
    // Exactly as much as is allowed, and what it truly is counts, whatever it was called.
    expect((await upload(client, 'front', png(maxBytes), 'image/jpeg')).status).toBe(201);
    const { rows } = await system.db.query(
      `SELECT media_type FROM kyc_documents d JOIN kyc_cases c ON c.id = d.case_id WHERE c.user_id = $1`,
      [client.userId],
    );
    expect(rows).toEqual([{ media_type: 'image/png' }]);
    const stranger = new (client.constructor as typeof Client)(system.url, 'a.b.c');
    expect((await upload(stranger, 'front', png(maxBytes))).error.code).toBe('UNAUTHENTICATED');
  });

  it('shows a document to nobody but who may decide, and only in its own case', async () => {
    const [one, other] = [await player(), await player()];
    await handedIn(one);
    await handedIn(other);
    const mine = await caseOf(system, one);
    const others = await caseOf(system, other);
    const { data } = await officer.get(`admin/kyc/${mine.id}`);
    const path = `admin/kyc/${mine.id}/documents/${data.documents[0].id}`;
    expect((await one.get(path)).error.code).toBe('FORBIDDEN');
    const moderator = await someone(system, make, 'moderator');
    expect((await moderator.get(path)).error.code).toBe('FORBIDDEN');
    const wrong = await officer.get(`admin/kyc/${others.id}/documents/${data.documents[0].id}`);
    expect([wrong.status, wrong.error.code]).toEqual([404, 'KYC_DOCUMENT_NOT_FOUND']);
    expect((await officer.get(`admin/kyc/${randomUUID()}`)).error.code).toBe('KYC_CASE_NOT_FOUND');
  });

  it('is decided by the first of two operators at once, and by nobody about themselves', async () => {
    const client = await player();
    await handedIn(client);
    const { id } = await caseOf(system, client);
    const refuse = { decision: 'reject', reason: 'unreadable', note: 'too dark' };
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, () => patiently(() => approve(id))),
      ...Array.from({ length: 10 }, () => patiently(() => decide(id, refuse, colleague))),
    ]);
    expect(codes(answers)).toEqual({ 200: 1, KYC_CASE_ALREADY_DECIDED: 19 });
    const winner = answers.find(({ status }) => status === 200)!.data;
    const { rows } = await system.db.query(
      'SELECT age_verified_at IS NOT NULL AS verified FROM users WHERE id = $1',
      [client.userId],
    );
    expect(rows[0].verified).toBe(winner.state === 'verified');
    const { rows: audited } = await system.db.query(
      `SELECT action FROM audit_log WHERE subject_id = $1 AND action IN ('kyc.verified', 'kyc.rejected')`,
      [id],
    );
    expect(audited).toHaveLength(1);

    await handedIn(officer);
    const own = await caseOf(system, officer);
    expect((await approve(own.id)).error.code).toBe('KYC_CASE_OWN');
    expect((await approve(own.id, {}, colleague)).status).toBe(200);
  });

  it('asks an operator for what a decision needs', async () => {
    const client = await player();
    await client.post('compliance/kyc', PASSPORT);
    const { id } = await caseOf(system, client);
    expect((await approve(id)).error.code).toBe('KYC_CASE_ALREADY_DECIDED'); // nothing was handed in
    await upload(client, 'front');
    await upload(client, 'selfie');
    expect((await decide(id, { decision: 'approve' })).error.code).toBe('KYC_BIRTH_DATE_NEEDED');
    expect((await decide(id, { decision: 'reject' })).error.code).toBe('KYC_REASON_NEEDED');
    expect((await approve(id, { documentEnds: '2026-03-03' })).error.code).toBe('KYC_DOCUMENT_EXPIRED');
    expect((await approve(id, { birthDate: '2026-03-05' })).error.code).toBe('VALIDATION_FAILED');
    expect((await decide(id, { decision: 'revoke', reason: 'stolen' })).error.code).toBe(
      'KYC_CASE_ALREADY_DECIDED',
    );
    expect((await caseOf(system, client))['status']).toBe('in_review');
  });

  it('can be asked for again, and sent anew', async () => {
    const client = await player();
    await handedIn(client);
    const { id } = await caseOf(system, client);
    await decide(id, { decision: 'resubmit', reason: 'unreadable', note: 'blurred' });
    const asked = await client.get('compliance/kyc');
    expect(asked.data).toMatchObject({
      state: 'resubmit',
      reason: 'unreadable',
      missing: ['front', 'selfie'],
    });
    expect(JSON.stringify(asked.data)).not.toContain('blurred');
    await upload(client, 'front');
    expect((await upload(client, 'selfie')).data.state).toBe('in_review');
    const { data } = await officer.get(`admin/kyc/${id}`);
    expect(data.documents.map(({ round }: { round: number }) => round)).toEqual([1, 1, 2, 2]);
    const seen = await approve(id);
    expect([seen.status, seen.error.code, seen.error.details]).toEqual([409, 'KYC_CHANGED', { round: 2 }]);
    expect((await approve(id, { round: 2 })).data.state).toBe('verified');
  });

  it('may be begun again after a refusal, but not for ever', async () => {
    const client = await player();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await handedIn(client);
      const { id } = await caseOf(system, client);
      await decide(id, { decision: 'reject', reason: 'wrong_document' });
    }
    const { status, error } = await client.post('compliance/kyc', PASSPORT);
    expect([status, error.code, error.details['until']]).toEqual([
      422,
      'KYC_TOO_MANY_ATTEMPTS',
      expect.stringMatching(/^2026-04-03T/),
    ]);
  });

  it('can be taken back, and begun again by an operator alone', async () => {
    const client = await player();
    await handedIn(client);
    const { id } = await caseOf(system, client);
    await approve(id);
    expect((await client.post('compliance/kyc', PASSPORT)).error.code).toBe('KYC_ALREADY_VERIFIED');
    const revoked = await decide(id, { decision: 'revoke', reason: 'stolen' }, colleague);
    expect(revoked.data).toMatchObject({ state: 'revoked', reason: 'stolen', decidedBy: colleague.userId });
    expect((await client.post('compliance/kyc', PASSPORT)).error.code).toBe('KYC_CLOSED');
    const { rows } = await system.db.query('SELECT age_verified_at FROM users WHERE id = $1', [
      client.userId,
    ]);
    expect(rows[0].age_verified_at).toBeNull();
    await decide(id, { decision: 'resubmit', reason: 'other' });
    expect((await client.get('compliance/kyc')).data.state).toBe('resubmit');
  });

  it('corrects a birth date, and who turns out to be too young pays nothing in from then on', async () => {
    const client = await player('1990-01-01');
    await handedIn(client);
    const deposit = () =>
      client.post(
        'wallet/deposits',
        { amount: 1000, currency: 'USD', provider: 'sandbox' },
        { key: randomUUID() },
      );
    expect((await deposit()).status).toBe(201);
    const { id } = await caseOf(system, client);
    const { data } = await approve(id, { birthDate: '2012-07-08' });
    expect([data.state, data.birthDate]).toEqual(['verified', '2012-07-08']);
    const refused = await deposit();
    expect([refused.status, refused.error.code]).toEqual([403, 'UNDER_AGE']);
  });

  it('knows a document again whose owner has excluded themselves elsewhere', async () => {
    const [gone, back] = [await player(), await player()];
    await handedIn(gone);
    await approve((await caseOf(system, gone)).id, { number: 'X 7 7 7' });
    await gone.post('compliance/self-exclusion', { months: 12 });

    await handedIn(back);
    const { id } = await caseOf(system, back);
    expect((await back.get('compliance/status')).data.refusal).toBeNull();
    const doubted = await approve(id, { number: 'x-777' });
    expect([doubted.status, doubted.error.code]).toEqual([409, 'KYC_DOCUMENT_ELSEWHERE']);
    // It reaches them at once, whatever the operator makes of it.
    expect((await back.get('compliance/status')).data.refusal).toBe('SELF_EXCLUDED');
    const { data: shown } = await officer.get(`admin/kyc/${id}`);
    expect([shown.state, shown.reason, shown.othersWithDocument]).toEqual([
      'in_review',
      'document_elsewhere',
      1,
    ]);
    const { data } = await approve(id, { number: 'x-777', secondAccount: true });
    expect([data.state, data.othersWithDocument]).toEqual(['verified', 1]);
    expect((await back.get('compliance/status')).data.refusal).toBe('SELF_EXCLUDED');
  });

  it('is listed for operators page by page, the oldest first', async () => {
    const clients = await make.players(5);
    for (const client of clients) await handedIn(client);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await officer.get(`admin/kyc?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...body.data.map(({ id }: { id: string }) => id));
      cursor = body.meta.pagination.nextCursor ?? '';
    } while (cursor !== '');
    expect(seen).toEqual(seen.toSorted());
    const ids = await Promise.all(clients.map(async (client) => (await caseOf(system, client)).id));
    expect(ids.every((id) => seen.includes(id))).toBe(true);
    expect((await officer.get('admin/kyc?cursor=nonsense')).error.code).toBe('INVALID_CURSOR');
  });

  it('is over when its time has come, and then asked for again', async () => {
    const client = await player();
    await handedIn(client);
    const { id } = await caseOf(system, client);
    await approve(id, { documentEnds: '2026-03-10' });
    await system.moveTo('2026-03-11T12:00:01Z');
    await eventually(async () => (await caseOf(system, client))['status'] === 'expired');
    const kyc = system.app.get(KycService, { strict: false }); // access tokens are over too
    expect((await kyc.status(client.userId)).state).toBe('expired');
    const { rows } = await system.db.query('SELECT age_verified_at FROM users WHERE id = $1', [
      client.userId,
    ]);
    expect(rows[0].age_verified_at).not.toBeNull();
    const again = await kyc.start(client.userId, { document: 'passport', country: 'US' });
    expect(again.state).toBe('pending');
  });
});
