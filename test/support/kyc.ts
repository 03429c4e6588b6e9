import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import type { Answer, Client } from './client.js';
import type { DocumentedApi } from './documented-api.js';
import type { System } from './system.js';

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
const JPEG = Buffer.from('ffd8ffe0', 'hex');

/** A picture that no other is, of so many bytes. */
export function png(bytes = 2000): Buffer {
  return Buffer.concat([PNG, randomBytes(bytes - PNG.length)]);
}

export function jpeg(bytes = 2000): Buffer {
  return Buffer.concat([JPEG, randomBytes(bytes - JPEG.length)]);
}

/** As a client sends a file: the body, and what it says that it is. */
export async function upload(
  client: Client,
  part: string,
  bytes: Buffer | string = png(),
  type = 'image/png',
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${client.url}/api/v1/compliance/kyc/documents?part=${part}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${client.token}`, 'Content-Type': type, ...headers },
    body: typeof bytes === 'string' ? bytes : new Uint8Array(bytes),
  });
  const body = JSON.parse(await response.text());
  return { status: response.status, headers: response.headers, data: body.data, error: body.error, body };
}

export const PASSPORT = { document: 'passport', country: 'US' };

/** Begun and handed in: the case waits for an operator. */
export async function handedIn(client: Client): Promise<void> {
  await client.post('compliance/kyc', PASSPORT);
  await upload(client, 'front');
  const { status, data, error } = await upload(client, 'selfie');
  if (data?.state !== 'in_review') throw new Error(`${status} ${JSON.stringify(data ?? error)}`);
}

/** The user's last case, as the database has it. */
export async function caseOf(
  system: System,
  { userId }: Client,
): Promise<Record<string, unknown> & { id: string }> {
  const { rows } = await system.db.query(
    'SELECT * FROM kyc_cases WHERE user_id = $1 ORDER BY id DESC LIMIT 1',
    [userId],
  );
  return rows[0];
}

/** People whose identity is known, without the way there. */
export async function known(system: System, ...clients: readonly Client[]): Promise<void> {
  const now = system.now();
  await system.db.query(
    `INSERT INTO kyc_cases (id, user_id, status, provider, document_kind, country, created_at, submitted_at, decided_at, expires_at)
     SELECT id, user_id, 'verified', 'manual', 'passport', 'US', $3, $3, $3, $3::timestamptz + interval '20 years'
     FROM unnest($1::uuid[], $2::uuid[]) AS c (id, user_id)`,
    [clients.map(() => v7()), clients.map(({ userId }) => userId), now],
  );
  await system.db.query('UPDATE users SET age_verified_at = $2 WHERE id = ANY ($1::uuid[])', [
    clients.map(({ userId }) => userId),
    now,
  ]);
}

/** Asks again where the system says that it is too busy, as a client does. */
export async function patiently(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (![429, 503].includes(answer.status)) return answer;
  }
}

/** Every operation that answers no file, on the way from nothing to known. */
export async function callKyc(call: DocumentedApi['call'], user: Client, operator: Client): Promise<void> {
  await call('Kyc_age', user, {}, PASSPORT);
  await call('Kyc_start', user, {}, PASSPORT);
  for (const part of ['front', 'selfie']) await upload(user, part);
  await call('Kyc_status', user);
  const [{ id }] = (await call('KycAdmin_list', operator)) as [{ id: string }];
  await call('KycAdmin_get', operator, { id });
  await call('KycAdmin_decide', operator, { id }, { decision: 'approve', round: 1, birthDate: '1990-12-10' });
}
