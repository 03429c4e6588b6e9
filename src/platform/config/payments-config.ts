import { IsOptional, Matches } from 'class-validator';
import { MobileMoneyConfig } from './mobile-money-config.js';

/** The variables of payment providers. A provider without its key is off. */
export class PaymentsConfig extends MobileMoneyConfig {
  /** Stripe's secret (or restricted) key. Off when empty. */
  @IsOptional()
  @Matches(/^(sk|rk)_(test|live)_\w{8,}$/, { message: 'STRIPE_SECRET_KEY must be such as sk_live_…' })
  STRIPE_SECRET_KEY?: string;

  /** Required with STRIPE_SECRET_KEY: the signing secret of the webhook endpoint. */
  @IsOptional()
  @Matches(/^whsec_[\w+/=-]{8,}$/, { message: 'STRIPE_WEBHOOK_SECRET must be such as whsec_…' })
  STRIPE_WEBHOOK_SECRET?: string;

  /** Where Stripe's API is. */
  @Matches(/^https?:\/\/[^/?#@\s]+$/, {
    message: 'STRIPE_API_BASE must be an origin such as https://api.stripe.com',
  })
  STRIPE_API_BASE = 'https://api.stripe.com';
}

/** What is missing of a provider that is half configured. */
export function paymentsProblems(config: PaymentsConfig): string[] {
  return config.STRIPE_SECRET_KEY !== undefined && config.STRIPE_WEBHOOK_SECRET === undefined
    ? ['STRIPE_WEBHOOK_SECRET: required with STRIPE_SECRET_KEY']
    : [];
}
