import { AirtelMoneyProvider } from '../../src/modules/payments/providers/airtel-money/airtel-money.provider.js';
import type { AirtelServer } from './airtel-server.js';
import type { Mood } from './mobile-money-server.js';
import { aCheckout, aPayout, configWith } from './mobile-money.js';

export const NATIONAL = '752604392';
export const PHONE = `+256${NATIONAL}`;
export const ZAMBIAN = '+260971234567';
/** As they may not be logged. */
export const NUMBERS = /752604392|97123/;
export const COLLECT = '/merchant/v1/payments/';

/** The adapter, speaking to the stand-in. */
export function providerOf(server: AirtelServer, over: Record<string, string> = {}): AirtelMoneyProvider {
  return new AirtelMoneyProvider(configWith({ ...server.env, ...over }));
}

export const order = (over: Partial<Parameters<typeof aCheckout>[0]> = {}) =>
  aCheckout({ payerPhone: PHONE, currency: 'UGX', ...over });

export const payout = (over: Partial<Parameters<typeof aPayout>[0]> = {}) =>
  aPayout({ destination: PHONE, currency: 'UGX', ...over });

export const failed = (failureCode: string, status = 'failed') => ({ status, failureCode });

const familyOf = (code: string): string => (code.startsWith('DP') ? 'response_code' : 'result_code');

/** An answer with a code of Airtel's, to the number asked. */
export const answering = (code: string, http = 200): Mood => ({
  status: http,
  body: { status: { code: String(http), message: PHONE, success: false, [familyOf(code)]: code } },
});
