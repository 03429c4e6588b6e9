import { IsIn, IsOptional, IsString, IsUUID, Matches, MinLength } from 'class-validator';
import { SandboxConfig } from './sandbox-config.js';

/** Markets of MTN MoMo by their X-Target-Environment, and the currencies each takes. The sandbox takes euros only. */
export const MTN_MOMO_CURRENCIES: Readonly<Record<string, readonly string[]>> = {
  sandbox: ['EUR'],
  mtnbenin: ['XOF'],
  mtncameroon: ['XAF'],
  mtncongo: ['XAF'],
  mtnghana: ['GHS'],
  mtnguineaconakry: ['GNF'],
  mtnivorycoast: ['XOF'],
  mtnliberia: ['LRD', 'USD'],
  mtnnigeria: ['NGN'],
  mtnrwanda: ['RWF'],
  mtnsouthafrica: ['ZAR'],
  mtnsouthsudan: ['SSP'],
  mtnswaziland: ['SZL'],
  mtnuganda: ['UGX'],
  mtnzambia: ['ZMW'],
};

/** Countries of Airtel Money (ISO 3166-1) and the currency of each. */
export const AIRTEL_CURRENCIES: Readonly<Record<string, string>> = {
  CD: 'CDF',
  CG: 'XAF',
  GA: 'XAF',
  KE: 'KES',
  MG: 'MGA',
  MW: 'MWK',
  NE: 'XOF',
  NG: 'NGN',
  RW: 'RWF',
  SC: 'SCR',
  TD: 'XAF',
  TZ: 'TZS',
  UG: 'UGX',
  ZM: 'ZMW',
};

const ORIGIN = /^https?:\/\/[^/?#@\s]+\/?$/;

/** The variables of mobile money. A provider whose first credential is empty is off. */
export class MobileMoneyConfig extends SandboxConfig {
  /** API user of MTN MoMo's product Collections. Off when empty. */
  @IsOptional()
  @IsUUID()
  MTN_MOMO_COLLECTION_USER?: string;

  /** Required with MTN_MOMO_COLLECTION_USER, as are the other four of MTN's credentials. */
  @IsOptional()
  @MinLength(8)
  MTN_MOMO_COLLECTION_KEY?: string;

  @IsOptional()
  @MinLength(8)
  MTN_MOMO_COLLECTION_SUBSCRIPTION?: string;

  /** API user of the product Disbursements, which pays out and refunds. */
  @IsOptional()
  @IsUUID()
  MTN_MOMO_DISBURSEMENT_USER?: string;

  @IsOptional()
  @MinLength(8)
  MTN_MOMO_DISBURSEMENT_KEY?: string;

  @IsOptional()
  @MinLength(8)
  MTN_MOMO_DISBURSEMENT_SUBSCRIPTION?: string;

  /** The market, as MTN names it. `sandbox` is refused in production. */
  @IsIn(Object.keys(MTN_MOMO_CURRENCIES))
  MTN_MOMO_ENVIRONMENT = 'sandbox';

  @Matches(ORIGIN, { message: 'MTN_MOMO_API_URL must be such as https://proxy.momoapi.mtn.com' })
  MTN_MOMO_API_URL = 'https://sandbox.momodeveloper.mtn.com';

  /** Consumer key of Airtel Money. Off when empty. */
  @IsOptional()
  @IsString()
  AIRTEL_CLIENT_ID?: string;

  /** Required with AIRTEL_CLIENT_ID, as are AIRTEL_COUNTRY and AIRTEL_ENCRYPTED_PIN. */
  @IsOptional()
  @MinLength(8)
  AIRTEL_CLIENT_SECRET?: string;

  /** The country of the account. */
  @IsOptional()
  @IsIn(Object.keys(AIRTEL_CURRENCIES))
  AIRTEL_COUNTRY?: string;

  /** PIN that confirms pay-outs, encrypted under Airtel's public key, in base64. The PIN itself is never here. */
  @IsOptional()
  @Matches(/^[A-Za-z0-9+/]{86,}={0,2}$/, {
    message: 'AIRTEL_ENCRYPTED_PIN must be the encrypted PIN in base64, not the PIN',
  })
  AIRTEL_ENCRYPTED_PIN?: string;

  /** Key by which callbacks are authenticated, once that is switched on at Airtel. Without it they are not. */
  @IsOptional()
  @MinLength(16)
  AIRTEL_CALLBACK_KEY?: string;

  @Matches(ORIGIN, { message: 'AIRTEL_API_URL must be such as https://openapi.airtel.africa' })
  AIRTEL_API_URL = 'https://openapiuat.airtel.africa';
}

const MTN_MOMO_REQUIRED = [
  'MTN_MOMO_COLLECTION_KEY',
  'MTN_MOMO_COLLECTION_SUBSCRIPTION',
  'MTN_MOMO_DISBURSEMENT_USER',
  'MTN_MOMO_DISBURSEMENT_KEY',
  'MTN_MOMO_DISBURSEMENT_SUBSCRIPTION',
] as const;
const AIRTEL_REQUIRED = ['AIRTEL_CLIENT_SECRET', 'AIRTEL_COUNTRY', 'AIRTEL_ENCRYPTED_PIN'] as const;

/** What is missing of a provider that is half configured. */
export function mobileMoneyProblems(config: MobileMoneyConfig): string[] {
  const needs = (credential: keyof MobileMoneyConfig, others: readonly (keyof MobileMoneyConfig)[]) =>
    config[credential] === undefined
      ? []
      : others
          .filter((name) => config[name] === undefined)
          .map((name) => `${name}: required with ${credential}`);
  return [
    ...needs('MTN_MOMO_COLLECTION_USER', MTN_MOMO_REQUIRED),
    ...needs('AIRTEL_CLIENT_ID', AIRTEL_REQUIRED),
  ];
}

/** Providers that would have play money booked as real: refused in production. */
export function mobileMoneyPlayMoney(config: MobileMoneyConfig): string[] {
  const { MTN_MOMO_COLLECTION_USER, MTN_MOMO_ENVIRONMENT, AIRTEL_CLIENT_ID, AIRTEL_API_URL } = config;
  const problems: string[] = [];
  if (MTN_MOMO_COLLECTION_USER !== undefined && MTN_MOMO_ENVIRONMENT === 'sandbox')
    problems.push('MTN_MOMO_ENVIRONMENT: the sandbox is refused in production');
  if (AIRTEL_CLIENT_ID !== undefined && URL.parse(AIRTEL_API_URL)?.hostname.startsWith('openapiuat.'))
    problems.push('AIRTEL_API_URL: staging is refused in production');
  return problems;
}
