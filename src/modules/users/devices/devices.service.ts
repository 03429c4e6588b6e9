import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import type { Subject } from '../../../platform/security/subject.js';
import { devicesErrors } from './devices.errors.js';
import { type DeviceRow, DevicesRepository } from './devices.repository.js';
import type { DeviceDto, RegisterDeviceDto } from './dto/devices.dto.js';

const DEVICES_PER_USER = 20;
/** Apps register whenever they start. What has not for so long is gone: push services say so of tokens after 270 days. */
const FORGET_AFTER_MS = 270 * 86_400_000;

/** Where a user's notifications go. A device belongs to the session that registered it, and ends with it. */
@HasHousekeeping()
@Injectable()
export class DevicesService implements Forgetful {
  readonly forgets = [
    async (limit: number) =>
      await this.repository.forget(new Date(this.clock.now().getTime() - FORGET_AFTER_MS), limit),
  ];

  constructor(
    private readonly repository: DevicesRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** A token belongs to whoever registered it last; of more than 20 devices the one longest not heard of goes. */
  async register({ userId, sessionId }: Subject, body: RegisterDeviceDto): Promise<DeviceDto> {
    return await this.unitOfWork.run(async (manager) => {
      await this.repository.lockUser(manager, userId);
      const device = await this.repository.upsert(manager, {
        id: newId(),
        userId,
        sessionId,
        platform: body.platform,
        token: body.token,
        tokenHash: createHash('sha256').update(body.token).digest(),
        appVersion: body.appVersion ?? null,
        locale: body.locale ?? null,
        now: this.clock.now(),
      });
      await this.repository.keepNewest(manager, userId, DEVICES_PER_USER);
      return toDto(device);
    });
  }

  /** The one registered last comes first. */
  async list({ userId }: Subject): Promise<DeviceDto[]> {
    return (await this.repository.ofUser(userId)).map(toDto);
  }

  async remove({ userId }: Subject, id: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      if (!(await this.repository.remove(manager, userId, id)))
        throw devicesErrors.DEVICE_NOT_FOUND({ deviceId: id });
    });
  }

  /** For who ends sessions, in the transaction that does. */
  async endWithSessions(manager: EntityManager, sessionIds: readonly string[]): Promise<void> {
    if (sessionIds.length > 0) await this.repository.removeOfSessions(manager, sessionIds);
  }
}

function toDto(row: DeviceRow): DeviceDto {
  return {
    id: row.id,
    platform: row.platform,
    appVersion: row.app_version,
    locale: row.locale,
    registeredAt: row.registered_at.toISOString(),
  };
}
