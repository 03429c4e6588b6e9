import { MtnMomoProvider } from '../../src/modules/payments/providers/mtn-momo/mtn-momo.provider.js';
import { aCheckout, aPayout, configWith } from './mobile-money.js';
import type { MomoServer } from './momo-server.js';

export const PHONE = '+46733120000';
export const UGANDAN = '+256772123456';
/** As they may not be logged. */
export const NUMBERS = /4673312|25677/;
export const COLLECT = '/collection/v1_0/requesttopay';

/** The adapter, speaking to the stand-in. */
export function providerOf(server: MomoServer, over: Record<string, string> = {}): MtnMomoProvider {
  return new MtnMomoProvider(configWith({ ...server.env, ...over }));
}

export const order = (over: Partial<Parameters<typeof aCheckout>[0]> = {}) =>
  aCheckout({ payerPhone: PHONE, currency: 'EUR', ...over });

export const payout = (over: Partial<Parameters<typeof aPayout>[0]> = {}) =>
  aPayout({ destination: PHONE, currency: 'EUR', ...over });
