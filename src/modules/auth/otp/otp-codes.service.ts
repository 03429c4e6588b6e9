import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { BlindIndex } from '../../../platform/security/blind-index.js';
import { columnContext, KeyRing } from '../../../platform/security/key-ring.js';
import { OtpSendLimitService } from './otp-send-limit.service.js';
import { OTP_REQUESTED } from './otp.events.js';
import { OtpRepository, type OtpUse, type StoredCode } from './otp.repository.js';
import type { PhoneNumber } from './phone-numbers.service.js';

const HOUR_MS = 3_600_000;
const KEEP_MS = 24 * HOUR_MS;
const SALT_BYTES = 16;

/**
 * One-time codes: 6 digits, 10 minutes, 5 tries, used once, 3 an hour a number (rules.md, Sessions). Whose number it is
 * is not looked up before its code is proved, so neither an answer nor its time can tell whether it is known.
 */
@HasHousekeeping()
@Injectable()
export class OtpCodesService implements Forgetful {
  readonly forgets = [
    async (limit: number) =>
      await this.repository.forget(new Date(this.clock.now().getTime() - KEEP_MS), limit),
  ];

  constructor(
    private readonly repository: OtpRepository,
    private readonly limit: OtpSendLimitService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly keyRing: KeyRing,
    private readonly index: BlindIndex,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Has a code sent to the number; how many seconds it will work. Throws RATE_LIMITED when the number was sent as many as
   * it may get in an hour, or `asker` (an address or a user) had as many sent.
   */
  async request(
    number: PhoneNumber,
    use: Pick<OtpUse, 'purpose' | 'userId'>,
    asker: string,
  ): Promise<{ expiresIn: number }> {
    await this.limit.take(asker);
    const id = newId();
    const encrypted = this.keyRing.encrypt(number.e164, contextOf(id));
    await this.unitOfWork.run(async (manager) => {
      const now = this.clock.now();
      await this.repository.lockNumber(manager, number.index);
      await this.requireFewer(manager, number, now);
      await this.repository.insert(manager, {
        ...use,
        id,
        number: encrypted,
        numberIndex: number.index,
        now,
      });
      await this.outbox.publish(manager, OTP_REQUESTED, { challengeId: id });
    });
    return { expiresIn: this.rules.auth.otp.codeSeconds };
  }

  /**
   * True when it is the code of this use, which is used up by it. A wrong one costs a try, so let the transaction commit;
   * when it is rolled back after a right one, the code may be sent again.
   */
  async prove(manager: EntityManager, use: OtpUse, code: string): Promise<boolean> {
    const now = this.clock.now();
    const stored = await this.repository.takeTry(manager, use, { now, tries: this.rules.auth.otp.tries });
    if (!stored || !timingSafeEqual(stored.hash, this.hash(stored.id, stored.salt, code))) return false;
    await this.repository.use(manager, stored.id, now);
    return true;
  }

  /** A new code for a challenge, and the number that it goes to; null when nothing is to be sent any more. */
  async renew(challengeId: string): Promise<{ code: string; to: string } | null> {
    const code = randomInt(1_000_000).toString().padStart(6, '0');
    const encrypted = await this.repository.putCode(challengeId, this.stored(challengeId, code), {
      askedAfter: new Date(this.clock.now().getTime() - this.lifetimeMs),
      expiresAt: new Date(this.clock.now().getTime() + this.lifetimeMs),
    });
    return encrypted && { code, to: this.keyRing.decryptText(encrypted, contextOf(challengeId)) };
  }

  async markSent(challengeId: string): Promise<void> {
    await this.repository.markSent(challengeId, this.clock.now());
  }

  private async requireFewer(manager: EntityManager, number: PhoneNumber, now: Date): Promise<void> {
    const { sendsPerHour } = this.rules.auth.otp;
    const asked = await this.repository.askedSince(manager, number.index, new Date(now.getTime() - HOUR_MS));
    const first = asked.at(-sendsPerHour);
    if (first === undefined) return;
    const retryAfter = Math.ceil((first.getTime() + HOUR_MS - now.getTime()) / 1000);
    throw httpErrors.RATE_LIMITED({ limit: sendsPerHour, retryAfter: Math.max(1, retryAfter) });
  }

  private stored(challengeId: string, code: string): StoredCode {
    const salt = randomBytes(SALT_BYTES);
    return { salt, hash: this.hash(challengeId, salt, code) };
  }

  /** Keyed: a million codes are tried in a second, so a hash without a key would keep none of them secret. */
  private hash(challengeId: string, salt: Buffer, code: string): Buffer {
    return this.index.of('otp', `${challengeId}:${salt.toString('hex')}:${code}`);
  }

  private get lifetimeMs(): number {
    return this.rules.auth.otp.codeSeconds * 1000;
  }
}

function contextOf(challengeId: string): string {
  return columnContext('otp_challenges', 'number', challengeId);
}
