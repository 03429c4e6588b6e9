import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { type Forgetful, HasHousekeeping } from '../../platform/jobs/housekeeping.decorator.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { BlindIndex } from '../../platform/security/blind-index.js';
import { BarredDevicesRepository } from './barred-devices.repository.js';
import { dayOf, excludedDevice } from './domain/harm-markers.js';
import { HarmFlagsRepository } from './markers/harm-flags.repository.js';

/**
 * Devices on which somebody excluded themselves (UKGC SR 3.5.3: reasonable steps to know them again). A household shares a device, so
 * it bars nobody: an account that is opened on one is shown to the compliance team, and nothing else happens to it.
 */
@HasHousekeeping()
@Injectable()
export class BarredDevicesService implements Forgetful {
  readonly forgets = [async (limit: number) => await this.repository.forgetEnded(this.clock.now(), limit)];

  constructor(
    private readonly repository: BarredDevicesRepository,
    private readonly flags: HarmFlagsRepository,
    private readonly index: BlindIndex,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** For who excludes a user, in that transaction, once the exclusion is noted: on this device, and longer than before on all others. */
  async remember(manager: EntityManager, userId: string, fingerprint: string | null): Promise<void> {
    await this.repository.remember(manager, userId, this.deviceOf(fingerprint), this.clock.now());
  }

  /** For who opens an account, in that transaction: shows it to the compliance team if somebody else excluded themselves on the device. */
  async recognise(manager: EntityManager, userId: string, fingerprint: string | null): Promise<void> {
    const device = this.deviceOf(fingerprint);
    if (device === null) return;
    const now = this.clock.now();
    const others = await this.repository.othersOn(manager, device, userId, now);
    if (others === null) return;
    const { weight } = this.rules.compliance.markers.excludedDevice;
    const [id, day] = [newId(), dayOf(now.getTime())];
    const markers = [excludedDevice(others, now, weight)];
    await this.flags.raise(manager, [{ id, userId, day, score: weight, markers }], now);
    await this.audit.record(manager, {
      actorId: null,
      action: 'compliance.excluded-device',
      subjectType: 'user',
      subjectId: userId,
      details: { flagId: id, accounts: others.accounts },
    });
  }

  private deviceOf(fingerprint: string | null): Buffer | null {
    return fingerprint === null ? null : this.index.of('device', fingerprint);
  }
}
