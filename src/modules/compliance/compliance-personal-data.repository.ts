import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import type { Snapshot } from '../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
} from '../../platform/privacy/personal-data.decorator.js';
import { BarredIdentitiesRepository } from './barred-identities.repository.js';

@HoldsPersonalData()
@Injectable()
export class CompliancePersonalData implements PersonalDataHolder {
  readonly tables = [];
  readonly kept = [
    {
      table: 'restrictions',
      why: 'the law asks to prove that an exclusion was kept; kind, dates and figures only',
    },
    {
      table: 'exclusion_returns',
      why: 'the law asks to prove that nobody came back without asking; dates only',
    },
    {
      table: 'barred_identities',
      why: 'who was excluded or banned must be known again: keyed hashes of email and number, until the bar ends',
    },
    {
      table: 'barred_devices',
      why: 'accounts that are opened where somebody was excluded are looked at: a keyed hash of the device, until the term is over',
    },
  ];

  constructor(
    private readonly barred: BarredIdentitiesRepository,
    private readonly clock: Clock,
  ) {}

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    return [
      {
        file: 'restrictions',
        rows: snapshot.rows(
          `SELECT kind, starts_at, ends_at, refunded_bets, refunded_credits, standing_bets, created_at
           FROM restrictions WHERE user_id = $1 ORDER BY starts_at, id`,
          [userId],
        ),
      },
      {
        file: 'exclusion-returns',
        rows: snapshot.rows(
          'SELECT asked_at, effective_at FROM exclusion_returns WHERE user_id = $1 ORDER BY asked_at, id',
          [userId],
        ),
      },
    ];
  }

  async remember(manager: EntityManager, userId: string, identities: readonly Buffer[]): Promise<void> {
    await this.barred.remember(manager, userId, identities, this.clock.now());
  }

  /** Nothing of it tells who the user was. */
  erase(): Promise<void> {
    return Promise.resolve();
  }
}
