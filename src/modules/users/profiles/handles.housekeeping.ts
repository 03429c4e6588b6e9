import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import {
  type Forget,
  type Forgetful,
  HasHousekeeping,
} from '../../../platform/jobs/housekeeping.decorator.js';
import { ProfilesRepository } from './profiles.repository.js';

/** Handles whose time of reservation is over. */
@HasHousekeeping()
@Injectable()
export class HandlesHousekeeping implements Forgetful {
  readonly forgets: readonly Forget[] = [
    (limit) => this.repository.forgetReservations(this.clock.now(), limit),
  ];

  constructor(
    private readonly repository: ProfilesRepository,
    private readonly clock: Clock,
  ) {}
}
