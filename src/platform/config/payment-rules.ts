import { Type } from 'class-transformer';
import { IsInt, IsObject, Min, registerDecorator, ValidateNested } from 'class-validator';

/** Minor units by currency. */
export type PriceList = Readonly<Record<string, number>>;

export interface AmountRange {
  readonly min: number;
  readonly max: number;
}

const CURRENCY = /^[A-Z]{3}$/;

/** A map by ISO 4217 code, each value as `fits` says. */
function ByCurrency(what: string, fits: (value: unknown) => boolean): PropertyDecorator {
  return (target, key) =>
    registerDecorator({
      name: 'byCurrency',
      target: target.constructor,
      propertyName: String(key),
      options: { message: `${String(key)} must give ${what} by currency, such as USD` },
      validator: {
        validate: (value: unknown) =>
          typeof value === 'object' &&
          value !== null &&
          Object.entries(value).every(([currency, inner]) => CURRENCY.test(currency) && fits(inner)),
      },
    });
}

const isAmount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

function isRange(value: unknown): boolean {
  const { min, max, ...rest } = (value ?? {}) as Partial<AmountRange>;
  return isAmount(min) && isAmount(max) && min <= max && Object.keys(rest).length === 0;
}

/** Amounts by currency. */
export const Prices = (): PropertyDecorator => ByCurrency('a price in minor units', isAmount);

/** What one amount is held between, by currency. */
export const AmountRanges = (): PropertyDecorator => ByCurrency('min and max in minor units', isRange);

/** `prices` of `config/payments.yml`. */
export class PaymentPrices {
  @Prices()
  week_pass: PriceList;

  /** Of one month. */
  @Prices()
  subscription: PriceList;

  @Prices()
  buy_back: PriceList;
}

/** So many failed payments within so many minutes block paying for so many. */
export class VelocityRules {
  @IsInt()
  @Min(1)
  failures: number;

  @IsInt()
  @Min(1)
  minutes: number;

  @IsInt()
  @Min(1)
  blockMinutes: number;
}

export class ReconciliationRules {
  /** Minutes after which a provider that has said nothing is asked. */
  @IsInt()
  @Min(1)
  pendingMinutes: number;

  /** Hours after which a payment that the provider still says nothing about has expired. */
  @IsInt()
  @Min(1)
  giveUpHours: number;
}

/** `config/payments.yml`. */
export class PaymentRules {
  @ValidateNested()
  @Type(() => PaymentPrices)
  prices: PaymentPrices;

  @IsObject()
  @AmountRanges()
  deposits: Readonly<Record<string, AmountRange>>;

  /** Payments that one user may have begun within the velocity's minutes and not finished. */
  @IsInt()
  @Min(1)
  openAtMost: number;

  @ValidateNested()
  @Type(() => VelocityRules)
  velocity: VelocityRules;

  @ValidateNested()
  @Type(() => ReconciliationRules)
  reconciliation: ReconciliationRules;

  /** Days for which the bodies of webhooks are kept. */
  @IsInt()
  @Min(1)
  eventBodyDays: number;
}
