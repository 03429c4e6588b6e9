import { IsOptional, IsString, Matches } from 'class-validator';
import { GeoConfig } from './geo-config.js';

/** The variables of knowing who somebody is. */
export class KycConfig extends GeoConfig {
  /** Folder of the documents that users send, encrypted; every process of the API and the worker has to have it. */
  @IsString()
  DOCUMENTS_DIR = '.local/documents';

  /** Stripe's restricted key for Identity. Operators look at uploads when empty. */
  @IsOptional()
  @Matches(/^(sk|rk)_(test|live)_\w{8,}$/, { message: 'STRIPE_IDENTITY_KEY must be such as rk_live_…' })
  STRIPE_IDENTITY_KEY?: string;

  /** Required with STRIPE_IDENTITY_KEY: the signing secret of its webhook endpoint. */
  @IsOptional()
  @Matches(/^whsec_[\w+/=-]{8,}$/, { message: 'STRIPE_IDENTITY_WEBHOOK_SECRET must be such as whsec_…' })
  STRIPE_IDENTITY_WEBHOOK_SECRET?: string;
}

/** What is missing of a provider that is half configured. */
export function kycProblems({ STRIPE_IDENTITY_KEY, STRIPE_IDENTITY_WEBHOOK_SECRET }: KycConfig): string[] {
  return STRIPE_IDENTITY_KEY !== undefined && STRIPE_IDENTITY_WEBHOOK_SECRET === undefined
    ? ['STRIPE_IDENTITY_WEBHOOK_SECRET: required with STRIPE_IDENTITY_KEY']
    : [];
}
