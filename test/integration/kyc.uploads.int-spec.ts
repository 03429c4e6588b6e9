import { existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApi } from '../../src/bootstrap.js';
import { KycDocumentsService } from '../../src/modules/compliance/kyc/kyc-documents.service.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { caseOf, PASSPORT, png, upload } from '../support/kyc.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { eventually, type System } from '../support/system.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const ID_CARD = { document: 'id_card', country: 'US' };

/** How much of documents somebody can make us hold, and that nothing of them is lost. */
describe('uploads of documents', () => {
  let system: System;
  let make: Builders;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { at: '2026-03-04T12:00:00Z' });
    make = new Builders(system);
  });
  afterAll(async () => system.stop());

  const begun = async () => {
    const client = (await make.players(1))[0]!;
    await client.post('compliance/kyc', PASSPORT);
    return client;
  };
  const rowsOf = async (client: Client) => {
    const { rows } = await system.db.query<{ id: string; round: number }>(
      'SELECT d.id, d.round FROM kyc_documents d JOIN kyc_cases c ON c.id = d.case_id WHERE c.user_id = $1 ORDER BY d.id',
      [client.userId],
    );
    return rows;
  };
  const files = () =>
    existsSync(system.config.DOCUMENTS_DIR)
      ? readdirSync(system.config.DOCUMENTS_DIR, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ name }) => name)
      : [];

  /** Sends the head of an upload, and its body only as it is told to; the answer's status and code. */
  const openUpload = (client: Client, bytes: number) => {
    const url = new URL(`${client.url}/api/v1/compliance/kyc/documents?part=front`);
    const headers = {
      Authorization: `Bearer ${client.token}`,
      'Content-Type': 'image/png',
      'Content-Length': bytes,
      Expect: '100-continue',
    };
    const sent = request(url, { method: 'POST', headers });
    sent.on('error', () => undefined);
    const answer = new Promise<{ status: number; code: string | undefined; retryAfter: string | undefined }>(
      (resolve) => {
        sent.on('response', (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () => {
            const body = JSON.parse(Buffer.concat(parts).toString()) as { error?: { code: string } };
            const retryAfter = response.headers['retry-after'];
            resolve({ status: response.statusCode!, code: body.error?.code, retryAfter });
          });
        });
      },
    );
    const received = new Promise<void>((resolve) => sent.on('continue', resolve));
    sent.flushHeaders();
    return { sent, answer, received };
  };

  it('keep nothing of a document that was left for another, which may be done a few times', async () => {
    const client = await begun();
    for (let change = 0; change < 5; change += 1) {
      expect((await upload(client, 'front')).status).toBe(201);
      const other = change % 2 === 0 ? ID_CARD : PASSPORT;
      expect((await client.post('compliance/kyc', other)).status).toBe(201);
      expect(await rowsOf(client)).toEqual([]);
    }
    await upload(client, 'front');
    const refused = await client.post('compliance/kyc', PASSPORT);
    expect([refused.status, refused.error.code, refused.error.details]).toEqual([
      409,
      'KYC_TOO_MANY_CHANGES',
      { changes: 5, document: 'id_card', country: 'US' },
    ]);
    // What was chosen last is gone on with.
    expect((await client.post('compliance/kyc', ID_CARD)).data.missing).toEqual(['back', 'selfie']);
    const rows = await rowsOf(client);
    expect(rows).toHaveLength(1);
    await eventually(() => Promise.resolve(files().length === 1 && files()[0] === rows[0]!.id));
  });

  it('are refused before their body is read when nobody asked for them', async () => {
    const client = (await make.players(1))[0]!;
    const { sent, answer } = openUpload(client, 5_000_000);
    expect(await answer).toMatchObject({ status: 409, code: 'KYC_NOT_STARTED' });
    sent.destroy();
  });

  it('are read one at a time of a user, and the next once that is over', async () => {
    const client = await begun();
    const picture = png(300_000);
    const first = openUpload(client, picture.length);
    await first.received;
    await sleep(200); // for its guards
    expect((await upload(client, 'selfie')).error.code).toBe('KYC_UPLOAD_RUNNING');
    const second = openUpload(client, picture.length);
    expect(await second.answer).toEqual({ status: 429, code: 'KYC_UPLOAD_RUNNING', retryAfter: '1' });
    second.sent.destroy();
    // Somebody else's is nobody's hindrance.
    expect((await upload(await begun(), 'front')).status).toBe(201);
    first.sent.end(picture);
    expect((await first.answer).status).toBe(201);
    // One that is given up lets the next one in.
    const broken = openUpload(client, picture.length);
    await broken.received;
    broken.sent.write(picture.subarray(0, 1000));
    await sleep(200);
    broken.sent.destroy();
    await eventually(async () => (await upload(client, 'selfie')).status === 201);
    expect((await caseOf(system, client))['status']).toBe('in_review');
  });

  it('keep their file when only the answer to their commit is lost', async () => {
    const client = await begun();
    await system.db.query(`
      CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON kyc_documents DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION slow_commit();`);
    const proxy = await TcpProxy.to(system.config.DATABASE_URL);
    const app = await createApi(loadAppConfig({ ...system.env, DATABASE_URL: proxy.url }));
    try {
      await app.init();
      const lost = app
        .get(KycDocumentsService, { strict: false })
        .upload(client.userId, 'front', png())
        .then(
          () => 'kept',
          (error: unknown) => (error as { code?: string }).code,
        );
      await eventually(async () => {
        const { rowCount } = await system.db.query(
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query = 'COMMIT' AND wait_event = 'PgSleep'",
        );
        return rowCount === 1;
      });
      proxy.cut();
      expect(await lost).toBe('SERVICE_UNAVAILABLE');
      const [row] = await eventually(async () => {
        const rows = await rowsOf(client);
        return rows.length === 1 && rows;
      });
      expect(files()).toContain(row!.id);
    } finally {
      await proxy.restore();
      await app.close();
      proxy.close();
      await system.db.query('DROP TRIGGER slow_commit ON kyc_documents; DROP FUNCTION slow_commit');
    }
  });
});
