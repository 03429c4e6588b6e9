import { EnumField, TextField } from '../../platform/http/fields.js';
import { KEY, MARKET_KINDS } from './domain/markets.js';

/** An outcome of a market. */
export function OutcomeField(options: { optional?: boolean; nullable?: boolean } = {}): PropertyDecorator {
  return TextField({
    max: 60,
    pattern: KEY,
    example: 'home',
    description: 'An outcome of the market: home, draw, away, over, under, or what a prop names',
    ...options,
  });
}

export function MarketKindField(): PropertyDecorator {
  return EnumField(MARKET_KINDS);
}
