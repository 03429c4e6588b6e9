import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { columnContext, KeyRing } from '../../../platform/security/key-ring.js';
import { AccountChangesService } from '../account-changes.service.js';
import { hashOfRecoveryCode } from '../domain/recovery-codes.js';
import { stepOf } from './totp-codes.js';
import { TotpRepository } from './totp.repository.js';

const DIGITS = /^\d{6}$/;

/** Second factors as they are used: codes of an authenticator, and recovery codes. Each is taken once. */
@Injectable()
export class SecondFactorsService {
  constructor(
    private readonly repository: TotpRepository,
    private readonly keyRing: KeyRing,
    private readonly changes: AccountChangesService,
    private readonly clock: Clock,
  ) {}

  encrypt(userId: string, secret: string): Buffer {
    return this.keyRing.encrypt(secret, context(userId));
  }

  /**
   * Uses a code up in the caller's transaction; false when it is wrong, was used before, or there is no second factor.
   * Of those who send one at the same time one is told true.
   */
  async use(manager: EntityManager, userId: string, code: string): Promise<boolean> {
    const totp = await this.repository.lock(manager, userId);
    if (!totp?.confirmed) return false;
    if (!DIGITS.test(code)) return await this.useRecoveryCode(manager, userId, code);
    const step = this.stepOf(userId, code, totp);
    return step !== null && (await this.repository.takeStep(manager, userId, step));
  }

  /** Takes it away from who has lost it; false when there was none on. Joins the caller's transaction. */
  async remove(manager: EntityManager, userId: string): Promise<boolean> {
    return await this.repository.remove(manager, userId);
  }

  /** The step whose code this is, after the last one taken. */
  stepOf(userId: string, code: string, totp: { secret: Buffer; last_step: number | null }): number | null {
    const secret = this.keyRing.decryptText(totp.secret, context(userId));
    return stepOf(code, secret, this.clock.now(), totp.last_step);
  }

  private async useRecoveryCode(manager: EntityManager, userId: string, code: string): Promise<boolean> {
    const hash = hashOfRecoveryCode(code);
    if (!(await this.repository.useRecoveryCode(manager, userId, hash, this.clock.now()))) return false;
    const left = await this.repository.countRecoveryCodes(manager, userId);
    await this.changes.tell(manager, userId, 'recoveryCodeUsed', { details: { left } });
    return true;
  }
}

function context(userId: string): string {
  return columnContext('totp', 'secret', userId);
}
