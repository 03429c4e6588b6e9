import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../../platform/privacy/personal-data.decorator.js';

const PROOF = 'the law asks to prove that limits were kept; kinds, dates and figures only';

@HoldsPersonalData()
@Injectable()
export class LimitsPersonalData implements PersonalDataHolder {
  readonly tables = [];
  readonly kept = [
    { table: 'user_limits', why: PROOF },
    { table: 'limit_changes', why: PROOF },
    { table: 'limit_bookings', why: PROOF },
    { table: 'limit_entries', why: PROOF },
  ];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    const section = sectionsOf(snapshot, userId);
    return [
      section(
        'limits',
        `SELECT kind, period, currency, status, amount, requested_amount, requested_at, changed_at
         FROM user_limits WHERE user_id = $1 ORDER BY currency, kind, period`,
      ),
      section(
        'limit-changes',
        `SELECT l.kind, l.period, l.currency, c.event, c.amount, c.requested_amount, c.at
         FROM limit_changes c JOIN user_limits l ON l.id = c.limit_id WHERE c.user_id = $1 ORDER BY c.at, c.id`,
      ),
      section(
        'limit-bookings',
        `SELECT reference, currency, amount, pays_in, stakes, status, at_risk, given_back, booked_at, counted_at
         FROM limit_bookings WHERE user_id = $1 ORDER BY booked_at, reference`,
      ),
      section(
        'limit-entries',
        `SELECT kind, currency, amount, at, reference, cause FROM limit_entries WHERE user_id = $1
         ORDER BY currency, kind, at, id`,
      ),
    ];
  }

  /** Nothing of it tells who the user was. */
  erase(): Promise<void> {
    return Promise.resolve();
  }
}
