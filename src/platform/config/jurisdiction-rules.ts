import { plainToInstance, Type } from 'class-transformer';
import {
  ArrayUnique,
  IsIn,
  IsInt,
  IsObject,
  IsTimeZone,
  Matches,
  Max,
  Min,
  registerDecorator,
  ValidateNested,
  validateSync,
} from 'class-validator';
import { PRODUCTS, type Product } from '../security/operates.decorator.js';
import { Prices, type PriceList } from './payment-rules.js';

export const LIMIT_KINDS = ['deposit', 'stake', 'loss'] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];

/** Rolling 24 hours, rolling 7 days, and the calendar month in UTC. */
export const LIMIT_PERIODS = ['day', 'week', 'month'] as const;
export type LimitPeriod = (typeof LIMIT_PERIODS)[number];

/** Minor units by kind, period and currency. */
export type Maxima = Readonly<Partial<Record<LimitKind, Readonly<Partial<Record<LimitPeriod, PriceList>>>>>>;

/** A map from known names to what passes. */
function MapOf(
  what: string,
  names: readonly string[] | RegExp,
  fits: (value: unknown) => boolean,
): PropertyDecorator {
  const known = (name: string) => (names instanceof RegExp ? names.test(name) : names.includes(name));
  return (target, key) =>
    registerDecorator({
      name: 'mapOf',
      target: target.constructor,
      propertyName: String(key),
      options: { message: `${String(key)} must give ${what}` },
      validator: { validate: (value: unknown) => isMap(value, known, fits) },
    });
}

function isMap(value: unknown, known: (name: string) => boolean, fits: (inner: unknown) => boolean): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, inner]) => known(name) && fits(inner));
}

const isThreshold = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** Amounts by kind of limit, period and currency. */
export const LimitMaxima = (): PropertyDecorator =>
  MapOf('minor units by kind, period and currency', LIMIT_KINDS, (periods) =>
    isMap(
      periods,
      (period) => (LIMIT_PERIODS as readonly string[]).includes(period),
      (prices) => {
        const one = new OnePriceList();
        one.prices = prices as PriceList;
        return validateSync(one).length === 0;
      },
    ),
  );

class OnePriceList {
  @Prices()
  prices: PriceList;
}

/** Limits of deposits, stakes and losses that a place asks for. UKGC RTS 12, AGCO 2.24. */
export class JurisdictionLimits {
  /** Hours before a limit that is raised or removed can be confirmed. */
  @IsInt()
  @Min(24)
  @Max(168)
  waitHours: number;

  /** Kinds of which a user needs one before anything is staked or paid in. */
  @ArrayUnique()
  @IsIn(LIMIT_KINDS, { each: true })
  mandatory: LimitKind[];

  @IsObject()
  @LimitMaxima()
  maximum: Maxima;
}

/** Minor units by currency above which an identity has to be known; a currency that is not named: always. */
export class KycThresholds {
  /** Of what is withdrawn within the days of `withdrawals.review`. */
  @MapOf('minor units by currency', /^[A-Z]{3}$/, isThreshold)
  withdrawals: PriceList;

  /** Of a lifetime. */
  @MapOf('minor units by currency', /^[A-Z]{3}$/, isThreshold)
  deposits: PriceList;
}

/** What is allowed in a place, and what has to be asked there. */
export class Jurisdiction {
  @ArrayUnique()
  @IsIn(PRODUCTS, { each: true })
  products: Product[];

  /** Years. */
  @IsInt()
  @Min(16)
  minimumAge: number;

  /** In which a birthday begins. */
  @IsTimeZone()
  zone: string;

  /** `required`: who is in an unknown part of it is nowhere. */
  @IsIn(['required', 'optional'])
  regions: 'required' | 'optional';

  /** Whether a declared age suffices. */
  @IsIn(['none', 'before_deposit', 'before_stake'])
  ageVerification: 'none' | 'before_deposit' | 'before_stake';

  @ValidateNested()
  @Type(() => JurisdictionLimits)
  limits: JurisdictionLimits;

  /** Minutes of play between reality checks, at most. UKGC RTS 13. */
  @IsInt()
  @Min(5)
  @Max(1440)
  realityCheckMinutes: number;

  /** What becomes of an idle session. */
  @IsIn(['reauthenticate', 'end'])
  onIdle: 'reauthenticate' | 'end';

  @ValidateNested()
  @Type(() => KycThresholds)
  kyc: KycThresholds;
}

type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What `own` says, and where it is silent what `base` says; lists and maps of amounts are taken whole. */
function merged(base: Plain, own: Plain): Plain {
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(own)) {
    const inherited = base[name];
    const nested = (name === 'limits' || name === 'kyc') && isPlain(value) && isPlain(inherited);
    result[name] = nested ? { ...inherited, ...value } : value;
  }
  return result;
}

/** Every jurisdiction that the file tells, by `US` and `US-NY`, and `usual`. */
export function readJurisdictions(usual: unknown, countries: unknown): Map<string, Jurisdiction> {
  const found = new Map<string, Jurisdiction>();
  const add = (name: string, plain: Plain): void =>
    void found.set(name, plainToInstance(Jurisdiction, plain));
  if (!isPlain(usual) || !isPlain(countries)) return found;
  add('usual', usual);
  for (const [country, told] of Object.entries(countries)) {
    const { parts, ...own } = isPlain(told) ? told : { told };
    const whole = merged(usual, own);
    add(country, whole);
    if (!isPlain(parts)) {
      if (parts !== undefined) add(country, { ...whole, parts });
      continue;
    }
    for (const [part, rules] of Object.entries(parts))
      add(`${country}-${part}`, isPlain(rules) ? merged(whole, rules) : { ...whole, rules });
  }
  return found;
}

const PLACE = /^(usual|[A-Z]{2}(-[A-Z0-9]{1,3})?)$/;

function problemsOf(jurisdictions: ReadonlyMap<string, Jurisdiction>): string[] {
  return [...jurisdictions].flatMap(([name, jurisdiction]) => {
    if (!PLACE.test(name)) return [`${name}: no ISO 3166 code, such as US or US-NY`];
    const errors = validateSync(jurisdiction, { whitelist: true, forbidNonWhitelisted: true });
    return errors.flatMap((error) => {
      const own = Object.values(error.constraints ?? {});
      const inner = (error.children ?? []).flatMap((child) => Object.values(child.constraints ?? {}));
      return [...own, ...inner].map((message) => `${name}: ${message}`);
    });
  });
}

function Countries(): PropertyDecorator {
  const problems = (rules: object) => {
    const { usual, countries } = rules as JurisdictionRules;
    return problemsOf(readJurisdictions(usual, countries));
  };
  return (target, key) =>
    registerDecorator({
      name: 'countries',
      target: target.constructor,
      propertyName: String(key),
      options: { message: ({ object }) => problems(object).join('; ') },
      validator: { validate: (value, args) => isPlain(value) && problems(args?.object ?? {}).length === 0 },
    });
}

/** A maximum that forgets a currency would be none to who pays in that one. */
export function forgottenCurrencies(rules: JurisdictionRules, taken: readonly string[]): string[] {
  return [...readJurisdictions(rules.usual, rules.countries)].flatMap(([name, { limits }]) =>
    Object.entries(limits.maximum).flatMap(([kind, periods]) =>
      Object.entries(periods).flatMap(([period, prices]) => {
        const missing = taken.filter((currency) => !(currency in prices));
        if (missing.length === 0) return [];
        return [
          `jurisdictions: ${name}: limits.maximum.${kind}.${period} must name ${missing.join(', ')} too`,
        ];
      }),
    ),
  );
}

/** `config/jurisdictions.yml`. */
export class JurisdictionRules {
  /** Raised with every change of the file. */
  @Matches(/^[0-9A-Za-z.-]{1,32}$/)
  version: string;

  /** What holds where nothing else is said. */
  @IsObject()
  usual: Plain;

  /** By ISO 3166 code; `parts` of a country are its states, provinces or regions. */
  @Countries()
  countries: Plain;
}
