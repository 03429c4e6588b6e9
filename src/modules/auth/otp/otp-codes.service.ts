import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { BlindIndex } from '../../../platform/security/blind-index.js';
import { columnContext, KeyRing } from '../../../platform/security/key-ring.js';
import { KnownDevicesService } from '../lockout/known-devices.service.js';
import type { OtpSentDto } from './dto/otp.dto.js';
import { OtpSendLimitService } from './otp-send-limit.service.js';
import { otpErrors } from './otp.errors.js';
import { OTP_REQUESTED } from './otp.events.js';
import {
  type Asked,
  OtpRepository,
  type OtpPurpose,
  type OtpUse,
  type StoredCode,
} from './otp.repository.js';
import type { PhoneNumber } from './phone-numbers.service.js';

const HOUR_MS = 3_600_000;
const KEEP_MS = 24 * HOUR_MS;
const SALT_BYTES = 16;
const SECRET_BYTES = 32;

/**
 * One-time codes: 6 digits, 10 minutes, 5 tries, used once, 3 an hour a number (rules.md, Sessions). Whose number it is
 * is not looked up before its code is proved, so neither an answer nor its time can tell whether it is known.
 *
 * A code counts with the secret that was answered to who asked for it, so others can use up neither it nor its tries. Of the
 * messages to a number that signs somebody in one an hour is kept for devices it has signed in on, which nobody else can
 * pass for; it is the worker that keeps it, and nothing is answered differently.
 */
@HasHousekeeping()
@Injectable()
export class OtpCodesService implements Forgetful {
  readonly forgets = [
    async (limit: number) =>
      await this.repository.forget(new Date(this.clock.now().getTime() - KEEP_MS), limit),
    async (limit: number) =>
      await this.repository.forgetHours(new Date(this.clock.now().getTime() - KEEP_MS), limit),
  ];

  private readonly logger = new Logger('Otp');
  private warnedOf = 0;

  constructor(
    private readonly repository: OtpRepository,
    private readonly limit: OtpSendLimitService,
    private readonly devices: KnownDevicesService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly keyRing: KeyRing,
    private readonly index: BlindIndex,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Has a code sent to the number. Throws RATE_LIMITED when the number was sent as many for this purpose as it may get in an
   * hour, or the caller's network or the user had as many sent; SMS_UNAVAILABLE when all numbers together were.
   */
  async request(
    number: PhoneNumber,
    use: Pick<OtpUse, 'purpose' | 'userId'>,
    caller: Caller,
  ): Promise<OtpSentDto> {
    await this.limit.take(caller.address, use.userId);
    const knownDevice = use.purpose === 'sign_in' && (await this.devices.knowsNumber(number.index, caller));
    const id = newId();
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const encrypted = this.keyRing.encrypt(number.e164, contextOf(id));
    await this.unitOfWork.run(async (manager) => {
      const now = this.clock.now();
      await this.repository.lockNumber(manager, number.index);
      await this.requireFewer(manager, number, { purpose: use.purpose, knownDevice }, now);
      await this.repository.insert(manager, {
        ...use,
        id,
        number: encrypted,
        numberIndex: number.index,
        secretHash: hashSecret(secret),
        knownDevice,
        now,
      });
      await this.requireFewerInAll(manager, now);
      await this.outbox.publish(manager, OTP_REQUESTED, { challengeId: id });
    });
    return { challengeId: secret, expiresIn: this.rules.auth.otp.codeSeconds };
  }

  /**
   * For who locks a user and then proves a number: before the user, as signing in does, which must not look up whose number
   * it is before it is proved. `prove` locks it by itself.
   */
  async lockNumber(manager: EntityManager, number: PhoneNumber): Promise<void> {
    await this.repository.lockNumber(manager, number.index);
  }

  /**
   * True when it is the code of this use, which is used up by it. A wrong one costs a try, so let the transaction commit;
   * when it is rolled back after a right one, the code may be sent again.
   */
  async prove(
    manager: EntityManager,
    use: Omit<OtpUse, 'secretHash'>,
    { challengeId, code }: { challengeId: string; code: string },
  ): Promise<boolean> {
    await this.repository.lockNumber(manager, use.numberIndex);
    const now = this.clock.now();
    const { tries, guessesPerHour: guesses } = this.rules.auth.otp;
    const stored = await this.repository.takeTry(
      manager,
      { ...use, secretHash: hashSecret(challengeId) },
      { now, tries, since: new Date(now.getTime() - HOUR_MS), guesses },
    );
    if (!stored || !timingSafeEqual(stored.hash, this.hash(stored.id, stored.salt, code))) return false;
    await this.repository.use(manager, stored.id, now);
    return true;
  }

  /** A new code for a challenge, and the number that it goes to; null when nothing is to be sent any more. */
  async renew(challengeId: string): Promise<{ code: string; to: string } | null> {
    const code = randomInt(1_000_000).toString().padStart(6, '0');
    const now = this.clock.now().getTime();
    const times = {
      askedAfter: new Date(now - this.lifetimeMs),
      expiresAt: new Date(now + this.lifetimeMs),
    };
    const encrypted = await this.repository.putCode(
      challengeId,
      this.stored(challengeId, code),
      times,
      this.strangersShare,
    );
    return encrypted && { code, to: this.keyRing.decryptText(encrypted, contextOf(challengeId)) };
  }

  async markSent(challengeId: string): Promise<void> {
    await this.repository.markSent(challengeId, this.clock.now());
  }

  private async requireFewer(
    manager: EntityManager,
    number: PhoneNumber,
    { purpose, knownDevice }: { purpose: OtpPurpose; knownDevice: boolean },
    now: Date,
  ): Promise<void> {
    const { sendsPerHour } = this.rules.auth.otp;
    const since = new Date(now.getTime() - HOUR_MS);
    const asked = await this.repository.askedSince(manager, number.index, purpose, since);
    const counted = knownDevice ? this.sentAtMost(asked) : asked;
    const first = counted.at(-sendsPerHour);
    if (first === undefined) return;
    const retryAfter = Math.ceil((first.at.getTime() + HOUR_MS - now.getTime()) / 1000);
    throw httpErrors.RATE_LIMITED({ limit: sendsPerHour, retryAfter: Math.max(1, retryAfter) });
  }

  /** Without what strangers asked for beyond their share: the worker sends none of that. */
  private sentAtMost(asked: readonly Asked[]): readonly Asked[] {
    const beyond = asked.filter(({ knownDevice }) => !knownDevice).slice(0, -this.strangersShare);
    return asked.filter((one) => !beyond.includes(one));
  }

  private get strangersShare(): number {
    return Math.max(1, this.rules.auth.otp.sendsPerHour - 1);
  }

  private async requireFewerInAll(manager: EntityManager, now: Date): Promise<void> {
    const limit = this.rules.auth.otp.sendsPerHourInAll;
    const hour = Math.floor(now.getTime() / HOUR_MS) * HOUR_MS;
    if (await this.repository.countMessage(manager, new Date(hour), limit)) return;
    if (this.warnedOf !== hour) this.logger.warn({ limit }, 'no more text messages are sent in this hour');
    this.warnedOf = hour;
    throw otpErrors.SMS_UNAVAILABLE({
      retryAfter: Math.max(1, Math.ceil((hour + HOUR_MS - now.getTime()) / 1000)),
    });
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

function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function contextOf(challengeId: string): string {
  return columnContext('otp_challenges', 'number', challengeId);
}
