import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { v7 } from 'uuid';
import { audited } from '../support/audit-chain.js';
import { Builders } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { someone } from '../support/staff.js';
import { eventually, startSystem, type System } from '../support/system.js';

interface Entry {
  id: string;
  subjectId: string;
  requestId: string | null;
}

describe('the audit log', () => {
  let system: System;
  let compliance: Client;
  let admin: Client;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    const make = new Builders(system);
    compliance = await someone(system, make, 'compliance');
    admin = await someone(system, make, 'admin');
  });
  afterAll(async () => system.stop());

  const subjectsOf = async (query: string): Promise<string[]> => {
    const { status, data } = await compliance.get(`admin/audit?${query}`);
    expect(status).toBe(200);
    return data.map(({ subjectId }: Entry) => subjectId);
  };
  const csv = async (query: string): Promise<Record<string, string>[]> => {
    const { status, body } = await compliance.get(`admin/audit.csv?${query}`);
    expect(status).toBe(200);
    return parse<Record<string, string>>(body, { columns: true, record_delimiter: '\r\n' });
  };
  const write = async (entry: Record<string, unknown>) => {
    const columns = Object.keys(entry);
    await system.db.query(
      `INSERT INTO audit_log (id, ${columns.join()}) VALUES ('${v7()}', ${columns.map((_, n) => `$${n + 1}`).join()})`,
      Object.values(entry),
    );
  };

  it('is found by type of subject and by request, alone and with what else is asked', async () => {
    const [subject, other, request] = [randomUUID(), randomUUID(), `r:${randomUUID()}`];
    const entry = { action: 'a', subject_type: 'kind-1', subject_id: subject, request_id: request };
    await write({ ...entry, at: '2023-10-01T00:00:00Z' });
    await write({ ...entry, at: '2023-10-02T00:00:00Z', subject_type: 'kind-2' });
    await write({ ...entry, at: '2023-10-03T00:00:00Z', subject_id: other, request_id: null });
    expect(await subjectsOf('subjectType=kind-1')).toEqual([other, subject]);
    expect(await subjectsOf(`subjectType=kind-1&subject=${subject}`)).toEqual([subject]);
    expect(await subjectsOf(`subject=${subject}`)).toEqual([subject, subject]);
    expect(await subjectsOf(`requestId=${request}`)).toEqual([subject, subject]);
    expect(await subjectsOf(`requestId=${request}&subjectType=kind-2`)).toEqual([subject]);
    expect(await subjectsOf(`subjectType=kind-1&from=2023-10-02T00:00:00Z`)).toEqual([other]);
    expect(await subjectsOf(`subjectType=kind-1&to=2023-10-03T00:00:00Z`)).toEqual([subject]);
    expect(await subjectsOf('subjectType=kind')).toEqual([]);
    const rows = await csv('subjectType=kind-1');
    expect(rows.map((row) => row['subject'])).toEqual([subject, other]); // the oldest first
    expect((await csv(`requestId=${request}`)).map((row) => row['subject type'])).toEqual([
      'kind-1',
      'kind-2',
    ]);
    expect(await csv('subjectType=kind')).toEqual([]);
  });

  it('names the request in what its jobs write', async () => {
    const requestId = `verify-${randomUUID()}`;
    const headers = { 'X-Request-Id': requestId };
    expect((await admin.call('POST', 'admin/ledger/verify', { headers })).status).toBe(202);
    const [entry] = await eventually(async () => {
      const { data } = await admin.get(`admin/audit?requestId=${requestId}`);
      return data.length > 0 && (data as Record<string, unknown>[]);
    });
    expect(entry).toMatchObject({ action: 'ledger.verified', actorId: admin.userId, requestId });
  });

  it('is written as CSV record by record, nothing in it a formula, details as JSON', async () => {
    const request = randomUUID();
    await write({
      at: '2023-10-03T01:02:03.004Z',
      actor_id: compliance.userId,
      action: '=1+1',
      subject_type: 'user',
      subject_id: '@x, "y"',
      details: { reason: 'a,b\r\n"c"' },
      request_id: request,
    });
    const { status, headers, body } = await compliance.get(`admin/audit.csv?requestId=${request}`);
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
      200,
      'text/csv; charset=utf-8; header=present',
      'private, no-store',
    ]);
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="audit-${system.now().toISOString().slice(0, 10)}.csv"`,
    );
    expect(body.split('\r\n')[0]).toBe('id,at,actor,action,subject type,subject,details,request');
    expect(await csv(`requestId=${request}`)).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        at: '2023-10-03T01:02:03.004Z',
        actor: compliance.userId,
        action: "'=1+1",
        'subject type': 'user',
        subject: '\'@x, "y"',
        details: '{"reason":"a,b\\r\\n\\"c\\""}',
        request,
      },
    ]);
  });

  it('is written whole, of more than a batch and of many that have one time', async () => {
    const subject = randomUUID();
    const ids = [
      ...(await audited(system.db, 1000, subject)),
      ...(await audited(system.db, 1000, subject)),
      ...(await audited(system.db, 7, subject)),
    ];
    await system.db.query(
      `INSERT INTO audit_log (id, at, action, subject_type, subject_id)
       SELECT id, '2023-10-01T00:00:00Z', 'test.done', 'test', $1 FROM unnest($2::uuid[]) AS id`,
      [subject, Array.from({ length: 1500 }, () => v7())],
    );
    const rows = await csv(`subject=${subject}`);
    expect(rows).toHaveLength(3507);
    const { rows: stored } = await system.db.query<{ id: string }>(
      'SELECT id FROM audit_log WHERE subject_id = $1 ORDER BY at, id',
      [subject],
    );
    expect(rows.map(({ id }) => id)).toEqual(stored.map(({ id }) => id));
    expect(new Set(rows.slice(1500).map(({ id }) => id))).toEqual(new Set(ids));
    const pages: string[] = [];
    for (let cursor: string | null = ''; cursor !== null && pages.length < 300;) {
      const page: Answer = await compliance.get(
        `admin/audit?subject=${subject}&limit=100${cursor && `&cursor=${cursor}`}`,
      );
      pages.push(...page.data.map(({ id }: Entry) => id));
      cursor = page.body.meta.pagination.nextCursor;
    }
    expect(pages).toEqual(
      stored
        .map(({ id }) => id)
        .toReversed()
        .slice(0, pages.length),
    );
    expect(pages.length).toBeGreaterThanOrEqual(300);
  });
});

describe('exports of the audit log', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ worker: false, env: { RATE_LIMIT_FACTOR: '1' } });
  });
  afterAll(async () => system.stop());

  it('are written ten times an hour for each who may; what is refused for its form does not count', async () => {
    const make = new Builders(system);
    const [one, two] = [await someone(system, make, 'compliance'), await someone(system, make, 'admin')];
    for (let n = 0; n < 3; n += 1) expect((await one.get('admin/audit.csv?from=x')).status).toBe(400);
    for (let n = 0; n < 10; n += 1) expect((await one.get('admin/audit.csv')).status).toBe(200);
    const { status, error, headers } = await one.get('admin/audit.csv');
    expect([status, error.code, error.details['limit']]).toEqual([429, 'RATE_LIMITED', 10]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(3000);
    expect((await two.get('admin/audit.csv')).status).toBe(200);
    expect((await one.get('admin/audit')).status).toBe(200);
  });
});
