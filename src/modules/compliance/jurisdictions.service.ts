import { Injectable } from '@nestjs/common';
import { type Jurisdiction, readJurisdictions } from '../../platform/config/jurisdiction-rules.js';
import { Rules } from '../../platform/config/rules.js';
import type { Place } from '../../platform/geo/place.js';
import { jurisdictionOf } from './domain/jurisdiction.js';

/** What `config/jurisdictions.yml` says of places. */
@Injectable()
export class JurisdictionsService {
  private readonly all: ReadonlyMap<string, Jurisdiction>;
  private readonly usual: Jurisdiction;
  /** Of who is nowhere: nothing is easier for hiding. */
  private readonly strict: Jurisdiction;

  constructor(private readonly rules: Rules) {
    const { usual, countries } = rules.jurisdictions;
    this.all = readJurisdictions(usual, countries);
    const found = this.all.get('usual');
    if (!found) throw new Error('jurisdictions.yml says nothing of the usual');
    this.usual = found;
    const waits = [...this.all.values()].map(({ limits }) => limits.waitHours);
    const limits = { ...(usual['limits'] as object), waitHours: Math.max(...waits) };
    const kyc = { withdrawals: {}, deposits: {} };
    const strict = { ...usual, ageVerification: 'before_deposit', limits, kyc };
    this.strict = readJurisdictions(strict, {}).get('usual') ?? found;
  }

  /** Null: nobody can tell whose rules hold there, and that is refused (`compliance.unknownPlace`). */
  of(place: Place): Jurisdiction | null {
    const found = jurisdictionOf(this.all, place);
    if (found !== null || this.rules.compliance.unknownPlace === 'refuse') return found;
    // Who hides in a closed place is in a closed place.
    const behind = jurisdictionOf(this.all, { ...place, anonymous: false });
    return behind?.products.length === 0 ? behind : this.usual;
  }

  /**
   * The same for what is decided wherever somebody is: taking one's own money out, one's own limits. Nowhere the usual rules hold, with
   * the longest wait of all places and every threshold of identity at nothing.
   */
  ofAnywhere(place: Place): Jurisdiction {
    return this.of(place) ?? this.strict;
  }
}
