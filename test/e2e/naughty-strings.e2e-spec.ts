import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type DocumentedOperation,
  type OpenApiDocument,
  operationsOf,
} from '../../scripts/openapi/document.js';
import { KEY } from '../../src/modules/sports/domain/markets.js';
import type { Answer } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { FEW, NaughtyPlace } from '../support/naughty-place.js';
import { waysOf } from '../support/naughty-ways.js';
import { type Hit, inBatches, shoot, wrongRefusal } from '../support/refusals.js';
import { bodyWith, textFieldsOf } from '../support/text-fields.js';

/** A wrong password or code is told in these and nowhere else. */
const OF_ATTEMPTS = ['attempt_counters', 'audit_log', 'outbox'];

/** Secrets, proofs and names of things: compared with what is there, and never told. They are refused, each of them. */
const NEVER_TOLD = [
  'AccountClosing_close.password',
  'Auth_acceptTerms.version',
  'Auth_login.email',
  'Auth_login.password',
  'Auth_register.termsVersion',
  'Bets_place.legs[].outcome',
  'Bets_place.outcome',
  'Bets_quote.legs[].outcome',
  'Bets_quote.outcome',
  'Email_verify.token',
  'KycAdmin_decide.number',
  'Kyc_age.country',
  'Kyc_start.country',
  'MarketOffers_offer.key',
  'MarketOffers_offer.outcomes[].decimal',
  'MarketOffers_offer.outcomes[].key',
  'MarketOffers_price.prices[].decimal',
  'MarketOffers_price.prices[].outcome',
  'OAuth_link.idToken',
  'OAuth_link.nonce',
  'OAuth_link.ticket',
  'OAuth_link.verifier',
  'OAuth_reauthenticate.idToken',
  'OAuth_reauthenticate.nonce',
  'OAuth_reauthenticate.ticket',
  'OAuth_reauthenticate.verifier',
  'OAuth_signIn.account.termsVersion',
  'OAuth_signIn.idToken',
  'OAuth_signIn.nonce',
  'OAuth_signIn.ticket',
  'OAuth_signIn.verifier',
  'Otp_reauthenticate.challengeId',
  'Otp_reauthenticate.code',
  'Otp_requestPhone.phone',
  'Otp_send.phone',
  'Otp_verify.account.termsVersion',
  'Otp_verify.challengeId',
  'Otp_verify.code',
  'Otp_verify.phone',
  'Otp_verifyPhone.challengeId',
  'Otp_verifyPhone.code',
  'Otp_verifyPhone.phone',
  'Password_change.currentPassword',
  'Password_change.newPassword',
  'Password_forgot.email',
  'Password_reset.password',
  'Password_reset.token',
  'Deposits_deposit.currency',
  'Deposits_deposit.phone',
  'Deposits_deposit.provider',
  'Limits_set.currency',
  'Payments_checkout.currency',
  'Payments_checkout.phone',
  'Payments_checkout.provider',
  'PoolsAdmin_grantPass.week',
  'Sessions_reauthenticate.password',
  'Sessions_refresh.refreshToken',
  'Totp_confirm.code',
  'Totp_renewRecoveryCodes.code',
  'Totp_turnOff.code',
  'Totp_verify.challenge',
  'Totp_verify.code',
  'Withdrawals_request.currency',
  'Withdrawals_request.destination',
  'Withdrawals_request.provider',
];
/** What a provider calls somebody, in place of a name of their own: fitted to what a name may be. */
const NAME = 'OAuth_signIn.name';

describe('a naughty string', () => {
  const place = new NaughtyPlace();
  const ways = waysOf(place);
  let document: OpenApiDocument;
  let operations: Map<string, DocumentedOperation>;

  beforeAll(async () => {
    await place.start();
    document = (await (await fetch(`${place.system.url}/docs/openapi.json`)).json()) as OpenApiDocument;
    operations = new Map(operationsOf(document).map((one) => [String(one.operation.operationId), one]));
  });
  afterAll(async () => place.oauth.stop());

  async function stateWithout(tables: readonly string[]): Promise<Record<string, string>> {
    const state = await fingerprint(place.system);
    return Object.fromEntries(Object.entries(state).filter(([table]) => !tables.includes(table)));
  }

  it('can be sent in the fields that are told again, in those that never are, and in no other', () => {
    const known = [...ways.keys(), NAME, ...NEVER_TOLD];
    expect(textFieldsOf(document).toSorted()).toEqual(known.toSorted());
  });

  it.each([...ways.keys()])(
    'as %s comes back byte for byte, or is refused and changes nothing',
    async (name) => {
      const { strings, taken, refused, inTurn = false, besides = [], send, told } = ways.get(name)!;
      const operation = operations.get(name.split('.')[0]!)!;
      const width = inTurn ? 1 : 16;
      const wrong: string[] = [];
      const good: (() => Promise<void>)[] = [];
      const bad: (() => Promise<void>)[] = [];
      await inBatches(
        strings.map((text, index) => [text, index] as const),
        async ([text, index]) => {
          const answer = await send(text, index);
          const check = async () => {
            const values = await told(answer, text, index);
            if (values.length === 0 || values.some((value) => value !== text))
              wrong.push(`${JSON.stringify(text)} is told as ${JSON.stringify(values)}`);
          };
          const sendAgain = async () => {
            const again = hitOf(await send(text, index));
            const problem = wrongRefusal(document, operation, again, [answer.error.code]);
            if (problem !== null || !refused.includes(answer.status))
              wrong.push(`${JSON.stringify(text)}: ${answer.status} ${answer.error.code}, ${problem}`);
          };
          if (answer.status >= 300) bad.push(sendAgain);
          else good.push(check);
          if (answer.status < 300 && inTurn) await check();
        },
        width,
      );
      if (!inTurn) await inBatches(good, async (check) => check(), width);
      const before = await stateWithout(besides);
      await inBatches(bad, async (sendAgain) => sendAgain(), width);
      expect(wrong).toEqual([]);
      expect(await stateWithout(besides)).toEqual(before);
      expect(good.length).toBeGreaterThanOrEqual(taken);
    },
  );

  it(`as ${NAME} names an account that gives no name, as far as a name goes`, async () => {
    const wrong: string[] = [];
    await inBatches(FEW, async (name) => {
      const { status, data } = await place.byGoogle({ name, account: place.account() });
      const fitted = Array.from(name.trim()).slice(0, 60).join('').trim();
      if (status !== 400 && data?.user.displayName !== (fitted || data?.user.handle))
        wrong.push(`${status} ${JSON.stringify([name, data?.user])}`);
    });
    expect(wrong).toEqual([]);
  });

  it('as what is never told is refused, and changes nothing', async () => {
    const headers = { Authorization: `Bearer ${place.admin.token}`, 'Content-Type': 'application/json' };
    const before = await stateWithout(OF_ATTEMPTS);
    const wrong: string[] = [];
    await inBatches(
      NEVER_TOLD.flatMap((name) => FEW.map((text) => [name, text] as const)),
      async ([name, text]) => {
        const [id, ...steps] = name.split('.');
        const operation = operations.get(id!)!;
        const example = operation.operation.requestBody?.content['application/json']?.example;
        const body = JSON.stringify(bodyWith(example, steps.join('.'), text));
        const path = operation.path.replace('{provider}', 'google').replace('{id}', place.reader.userId);
        const hit = await shoot(place.system.url, {
          what: name,
          method: operation.method,
          path,
          headers,
          body,
        });
        // A quote tells of an outcome that no market has, by a word that one could have, that a bet on it would be refused.
        if (id === 'Bets_quote' && hit.status === 200 && KEY.test(text)) return;
        const problem = wrongRefusal(document, operation, hit, []);
        if (problem !== null) wrong.push(`${name}, ${body}: ${problem}`);
      },
    );
    expect(wrong).toEqual([]);
    expect(await stateWithout(OF_ATTEMPTS)).toEqual(before);
  });
});

function hitOf({ status, headers, body, error }: Answer): Hit {
  return { status, headers, text: JSON.stringify(body), code: error?.code };
}
