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

  constructor(private readonly rules: Rules) {
    const { usual, countries } = rules.jurisdictions;
    this.all = readJurisdictions(usual, countries);
    const found = this.all.get('usual');
    if (!found) throw new Error('jurisdictions.yml says nothing of the usual');
    this.usual = found;
  }

  /** Null: nobody can tell whose rules hold there, and that is refused (`compliance.unknownPlace`). */
  of(place: Place): Jurisdiction | null {
    const found = jurisdictionOf(this.all, place);
    return found ?? (this.rules.compliance.unknownPlace === 'usual' ? this.usual : null);
  }

  /** The same for what has to be decided without knowing: then the usual rules hold. */
  ofAnywhere(place: Place): Jurisdiction {
    return jurisdictionOf(this.all, place) ?? this.usual;
  }
}
