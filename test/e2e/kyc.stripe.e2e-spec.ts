import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { IDENTITY_WEBHOOK_SECRET, IdentityServer } from '../support/identity-server.js';
import { caseOf, PASSPORT, patiently, upload } from '../support/kyc.js';
import { someone } from '../support/staff.js';
import { STRIPE_WEBHOOK_SECRET } from '../support/stripe-server.js';
import { eventually, startSystem, type System } from '../support/system.js';

/** Stripe Identity from the first click to the age that is known: real requests, real signatures. */
describe('an identity that Stripe verifies', () => {
  let stripe: IdentityServer;
  let system: System;
  let make: Builders;
  let client: Client;

  beforeAll(async () => {
    stripe = await new IdentityServer().start();
    system = await startSystem({ env: stripe.env });
    make = new Builders(system);
  });
  afterAll(async () => {
    await system.stop();
    await stripe.stop();
  });
  beforeEach(async () => {
    client = (await make.players(1, { birthDate: '1990-01-01' }))[0]!;
    stripe.next = [];
    stripe.problems.length = 0;
  });

  async function deliver(
    event: object,
    over: Parameters<IdentityServer['delivery']>[1] = {},
  ): Promise<Answer> {
    const { rawBody, headers } = stripe.delivery(event, { secret: IDENTITY_WEBHOOK_SECRET, ...over });
    const response = await fetch(`${system.url}/api/v1/compliance/kyc/webhooks/stripe-identity`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: new Uint8Array(rawBody),
    });
    const body = JSON.parse(await response.text());
    return { status: response.status, headers: response.headers, data: body.data, error: body.error, body };
  }

  const start = async (over: object = {}) => await client.post('compliance/kyc', { ...PASSPORT, ...over });
  const stateIs = (state: string) =>
    eventually(async () => (await client.get('compliance/kyc')).data.state === state);
  const referenceOf = async () => String((await caseOf(system, client))['provider_reference']);
  const eventsOf = async () => {
    const { id } = await caseOf(system, client);
    const { rows } = await system.db.query<{ type: string; outcome: string | null }>(
      'SELECT type, outcome FROM kyc_provider_events WHERE case_id = $1 ORDER BY id',
      [id],
    );
    return rows.map(({ type, outcome }) => `${type.split('.').at(-1)} ${outcome}`);
  };
  const applied = (count: number) =>
    eventually(async () => {
      const events = await eventsOf();
      return events.length === count && !events.some((event) => event.endsWith('null')) && events;
    });
  const person = async () => {
    const { rows } = await system.db.query(
      `SELECT birth_date::text AS birth, age_verified_at IS NOT NULL AS verified FROM users WHERE id = $1`,
      [client.userId],
    );
    return rows[0] as { birth: string; verified: boolean };
  };

  it('begins on its page, with what its document allows', async () => {
    const { status, data } = await start({ document: 'driving_licence' });
    const reference = await referenceOf();
    expect([status, data]).toMatchObject([
      201,
      {
        state: 'pending',
        provider: 'stripe-identity',
        parts: [],
        missing: [],
        url: `https://verify.stripe.com/start/${reference}`,
        clientSecret: `${reference}_secret_standin`,
      },
    ]);
    const session = stripe.account.session(reference);
    const { id } = await caseOf(system, client);
    expect([session['metadata'], session['options']]).toEqual([
      { caseId: id },
      {
        document: {
          allowed_types: ['driving_license'],
          require_live_capture: true,
          require_matching_selfie: true,
        },
      },
    ]);
    // Asked again it is the same one, and nothing of it is kept or told by a mere look.
    expect((await start({ document: 'driving_licence' })).data.url).toBe(data.url);
    expect((await client.get('compliance/kyc')).data).toMatchObject({ url: null, clientSecret: null });
    const { rows } = await system.db.query(
      'SELECT to_jsonb(k)::text AS text FROM kyc_cases k WHERE id = $1',
      [id],
    );
    expect(rows[0].text).not.toContain('secret');
    expect((await upload(client, 'front')).error.code).toBe('KYC_NO_UPLOAD');
    expect(stripe.problems).toEqual([]);
  });

  it('begins on another page for another document', async () => {
    const first = await start();
    const old = await referenceOf();
    const { data } = await start({ document: 'id_card' });
    const reference = await referenceOf();
    expect([data.document, data.url === first.data.url]).toEqual(['id_card', false]);
    const options = stripe.account.session(reference)['options'] as { document: { allowed_types: string[] } };
    expect(options.document.allowed_types).toEqual(['id_card']);
    await deliver(stripe.account.verify(old));
    expect(await applied(1)).toEqual(['verified stale']);
    expect((await client.get('compliance/kyc')).data.state).toBe('pending');
  });

  it('is one session, however often it is begun at once', async () => {
    const before = stripe.account.allSessions.length;
    const answers = await Promise.all(Array.from({ length: 20 }, () => patiently(() => start())));
    expect(new Set(answers.map(({ status, data }) => `${status} ${data?.url}`)).size).toBe(1);
    expect(stripe.account.allSessions.length - before).toBe(1);
  });

  it('is known once Stripe says so, with the birth date of the document', async () => {
    await start();
    const reference = await referenceOf();
    expect((await deliver(stripe.account.process(reference))).status).toBe(200);
    await stateIs('in_review');
    const event = stripe.account.verify(reference, {
      dob: { day: 9, month: 2, year: 1988 },
      number: 'P-55 66',
      expires: { day: 1, month: 12, year: 2099 },
    });
    expect(JSON.stringify(event)).not.toContain('1988');
    expect((await deliver(event)).status).toBe(200);
    await stateIs('verified');
    expect(await person()).toEqual({ birth: '1988-02-09', verified: true });
    expect((await client.post('compliance/age', PASSPORT)).data).toMatchObject({ verified: true });
    const { rows } = await system.db.query('SELECT * FROM kyc_provider_events');
    expect(JSON.stringify(rows)).not.toMatch(/1988|5566|Jenny|Rosen/);
  });

  it('is decided once, though its events come twice, at once and in no order', async () => {
    await start();
    const reference = await referenceOf();
    const processing = stripe.account.process(reference);
    const verified = stripe.account.verify(reference);
    await Promise.all([deliver(verified), deliver(verified), deliver(processing), deliver(verified)]);
    await stateIs('verified');
    await deliver(processing);
    await deliver(verified);
    const events = await applied(2);
    expect(events.filter((event) => event.endsWith('applied'))).toHaveLength(1);
    const { id } = await caseOf(system, client);
    const { rows } = await system.db.query(
      `SELECT action FROM audit_log WHERE subject_id = $1 AND action = 'kyc.verified'`,
      [id],
    );
    expect(rows).toHaveLength(1);
  });

  it('is asked for again where Stripe could not tell, on the same page', async () => {
    await start();
    const reference = await referenceOf();
    await deliver(stripe.account.process(reference));
    await stateIs('in_review');
    await deliver(stripe.account.fail(reference, 'selfie_face_mismatch'));
    await stateIs('resubmit');
    const { data } = await start();
    expect(data).toMatchObject({ state: 'resubmit', reason: 'selfie_face_mismatch' });
    expect(data.url).toBe(`https://verify.stripe.com/start/${reference}`);
    await deliver(stripe.account.verify(reference));
    await stateIs('verified');
  });

  it('begins anew where the session was cancelled, and hears of the old one no more', async () => {
    await start();
    const reference = await referenceOf();
    await deliver(stripe.account.cancel(reference));
    await stateIs('resubmit');
    const { data } = await start();
    const next = await referenceOf();
    expect([next === reference, data.url]).toEqual([false, `https://verify.stripe.com/start/${next}`]);
    await deliver(stripe.account.redact(reference));
    expect((await applied(2)).toSorted()).toEqual(['canceled applied', 'redacted stale']);
    expect((await client.get('compliance/kyc')).data.state).toBe('resubmit');
    await deliver(stripe.account.verify(next));
    await stateIs('verified');
    await deliver(stripe.account.redact(next));
    await applied(4);
    expect((await client.get('compliance/kyc')).data.state).toBe('verified');
    expect((await person()).verified).toBe(true);
  });

  it('finds out by itself what no event has told', async () => {
    await start();
    stripe.account.verify(await referenceOf());
    const { data } = await start();
    expect([data.state, data.url]).toEqual(['verified', null]);
    expect((await person()).verified).toBe(true);
  });

  it('believes no event that is forged, old, of another secret, or about somebody else', async () => {
    await start();
    const reference = await referenceOf();
    const event = stripe.account.verify(reference);
    const now = Date.now() / 1000;
    for (const over of [
      { secret: STRIPE_WEBHOOK_SECRET },
      { secret: 'whsec_forgedforged' },
      { at: now - 301 },
      { at: 0 },
    ]) {
      const { status, error } = await deliver(event, over);
      expect([status, error.code]).toEqual([401, 'KYC_WEBHOOK_INVALID']);
    }
    const unsigned = await fetch(`${system.url}/api/v1/compliance/kyc/webhooks/stripe-identity`, {
      method: 'POST',
      body: JSON.stringify(event),
    });
    expect(unsigned.status).toBe(401);
    // Changed after it was signed.
    const { rawBody, headers } = stripe.delivery(event, { secret: IDENTITY_WEBHOOK_SECRET });
    const changed = rawBody.toString().replace(reference, 'vs_other');
    const forged = await fetch(`${system.url}/api/v1/compliance/kyc/webhooks/stripe-identity`, {
      method: 'POST',
      headers,
      body: changed,
    });
    expect(forged.status).toBe(401);
    const elsewhere = { ...event, id: 'evt_other', data: { object: { id: 'vs_nobody', metadata: {} } } };
    expect((await deliver(elsewhere)).status).toBe(200);
    const nowhere = await fetch(`${system.url}/api/v1/compliance/kyc/webhooks/nobody`, {
      method: 'POST',
      body: '{}',
    });
    expect(nowhere.status).toBe(404);
    expect(await eventsOf()).toEqual([]);
    expect((await person()).verified).toBe(false);
    const { rows } = await system.db.query(
      "SELECT 1 FROM kyc_provider_events WHERE provider_reference = 'vs_nobody'",
    );
    expect(rows).toEqual([]);
  });

  it('does not believe what an event says of itself: the session is asked', async () => {
    await start();
    const reference = await referenceOf();
    const lying = {
      id: 'evt_lying',
      type: 'identity.verification_session.verified',
      data: { object: { ...stripe.account.session(reference), status: 'verified' } },
    };
    expect((await deliver(lying)).status).toBe(200);
    expect(await applied(1)).toEqual(['verified stale']);
    expect((await client.get('compliance/kyc')).data.state).toBe('pending');
  });

  it('waits for an operator where Stripe tells no birth date', async () => {
    await start();
    const reference = await referenceOf();
    await deliver(stripe.account.verify(reference, { dob: null }));
    await stateIs('in_review');
    const officer = await someone(system, make, 'compliance');
    const { id } = await caseOf(system, client);
    const { data } = await officer.get(`admin/kyc/${id}`);
    expect([data.reason, data.documents]).toEqual(['no_birth_date', []]);
    const decided = await officer.post(`admin/kyc/${id}/decide`, {
      decision: 'approve',
      round: 1,
      birthDate: '1990-01-01',
    });
    expect(decided.data.state).toBe('verified');
  });

  it('is tried again while Stripe is away, and says so', async () => {
    stripe.next = Array.from({ length: 3 }, () => ({ status: 500 }));
    const { status, error, headers } = await start();
    expect([status, error.code, headers.get('retry-after')]).toEqual([503, 'KYC_PROVIDER_UNAVAILABLE', '10']);
    expect((await start()).status).toBe(201);
    const reference = await referenceOf();
    const event = stripe.account.verify(reference);
    stripe.next = Array.from({ length: 3 }, () => ({ status: 503 }));
    await deliver(event);
    await stateIs('verified');
  });

  it('knows an excluded person by the document', async () => {
    const [gone] = await make.players(1);
    const first = client;
    client = gone!;
    await start();
    await deliver(stripe.account.verify(await referenceOf(), { number: 'SAME-1' }));
    await stateIs('verified');
    await client.post('compliance/self-exclusion', { months: 6 });
    client = first;
    await start();
    await deliver(stripe.account.verify(await referenceOf(), { number: 'same 1' }));
    await stateIs('in_review');
    expect((await client.get('compliance/kyc')).data.reason).toBe('document_elsewhere');
    await deliver(stripe.account.redact(await referenceOf()));
    expect((await applied(2)).at(-1)).toBe('redacted stale');
    expect((await client.get('compliance/kyc')).data).toMatchObject({
      state: 'in_review',
      reason: 'document_elsewhere',
    });
    expect((await client.get('compliance/status')).data.refusal).toBe('SELF_EXCLUDED');
  });

  it('is not known by a session again that an operator has taken back', async () => {
    await start();
    const reference = await referenceOf();
    await deliver(stripe.account.verify(reference));
    await stateIs('verified');
    const officer = await someone(system, make, 'compliance');
    const { id } = await caseOf(system, client);
    const decide = (body: object) => officer.post(`admin/kyc/${id}/decide`, body);
    await decide({ decision: 'revoke', round: 1, reason: 'stolen' });
    expect((await decide({ decision: 'resubmit', round: 1, reason: 'other' })).data.state).toBe('resubmit');

    await deliver(stripe.account.redact(reference)); // says verified, and always will
    expect(await applied(2)).toEqual(['verified applied', 'redacted stale']);
    stripe.account.verify(reference);
    const { data } = await start();
    const next = await referenceOf();
    expect([data.state, next === reference]).toEqual(['resubmit', false]);
    expect(data.url).toBe(`https://verify.stripe.com/start/${next}`);
    await deliver(stripe.account.redact(reference));
    expect((await applied(3)).at(-1)).toBe('redacted stale');
    expect(await person()).toMatchObject({ verified: false });

    await deliver(stripe.account.verify(next));
    await stateIs('verified');
    // The first stays void, however many come after it.
    await decide({ decision: 'revoke', round: 2, reason: 'stolen' });
    await decide({ decision: 'resubmit', round: 2, reason: 'other' });
    await deliver(stripe.account.redact(reference));
    await deliver(stripe.account.redact(next));
    expect((await applied(6)).slice(-2)).toEqual(['redacted stale', 'redacted stale']);
    expect((await person()).verified).toBe(false);
  });

  it('is shown in another session where an operator asks again', async () => {
    await start();
    const reference = await referenceOf();
    await deliver(stripe.account.verify(reference, { dob: null }));
    await stateIs('in_review');
    const officer = await someone(system, make, 'compliance');
    const { id } = await caseOf(system, client);
    await officer.post(`admin/kyc/${id}/decide`, { decision: 'resubmit', round: 1, reason: 'unreadable' });
    const { data } = await start();
    expect([data.state, (await referenceOf()) === reference]).toEqual(['resubmit', false]);
    await deliver(stripe.account.redact(reference));
    expect((await applied(2)).at(-1)).toBe('redacted stale');
    expect((await client.get('compliance/kyc')).data.state).toBe('resubmit');
  });

  it('of two accounts that show one document at once is one, and the other is for an operator', async () => {
    const both = [client, (await make.players(1))[0]!];
    const events: object[] = [];
    for (const each of both) {
      client = each;
      await start();
      events.push(stripe.account.verify(await referenceOf(), { number: 'TWICE-1' }));
    }
    await Promise.all(events.map((event) => deliver(event)));
    const states = async () => {
      const answers = await Promise.all(both.map((each) => each.get('compliance/kyc')));
      return answers.map(({ data }) => String(data.state));
    };
    await eventually(async () => !(await states()).includes('pending'));
    expect(new Set(await states())).toEqual(new Set(['in_review', 'verified']));
  });
});
