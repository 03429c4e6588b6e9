import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { BlindIndex } from '../../../platform/security/blind-index.js';
import { LockoutRepository } from './lockout.repository.js';

const DAY_MS = 86_400_000;
const HALF_BYTES = 16;

/**
 * Which devices an account knows: by a token that we gave the device when somebody signed in on it, and by the fingerprint
 * that its client makes of it. Not by network and program: neighbours share those. Half of a token is random and half proves
 * that it is ours, so that a client cannot choose one; it is no secret of an account and opens nothing.
 */
@Injectable()
export class KnownDevicesService {
  constructor(
    private readonly repository: LockoutRepository,
    private readonly index: BlindIndex,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** By what the caller's device may be known to the account. */
  of(userId: string, caller: Caller): Buffer[] {
    const token = this.ownToken(caller);
    return [
      ...(caller.fingerprint === null ? [] : [this.hash(`${userId} fingerprint ${caller.fingerprint}`)]),
      ...(token === null ? [] : [this.hash(`${userId} token ${token}`)]),
    ];
  }

  /**
   * From now on the account knows the caller's device, and so does its telephone number; the device's token. Joins the
   * caller's transaction. `signedIn` is false for who has proved nothing but to read the account's mail.
   */
  async remember(
    manager: EntityManager,
    user: { id: string; numberIndex: Buffer | null },
    caller: Caller,
    signedIn: boolean,
  ): Promise<string> {
    const { token, devices } = this.learn(user, caller);
    await this.repository.rememberDevices(manager, user.id, devices, signedIn, this.clock.now());
    return token;
  }

  /** What is to be remembered of the caller's device, and its token. */
  learn(
    user: { id: string; numberIndex: Buffer | null },
    caller: Caller,
  ): { token: string; devices: Buffer[] } {
    const token = this.ownToken(caller) ?? this.newToken();
    const devices = this.of(user.id, { ...caller, deviceToken: token });
    if (user.numberIndex !== null) devices.push(this.ofNumber(user.numberIndex, token));
    return { token, devices };
  }

  /** True when the number's owner has signed in on this device. One look, whether the number is anybody's or not. */
  async knowsNumber(numberIndex: Buffer, caller: Caller): Promise<boolean> {
    const token = this.ownToken(caller);
    return token !== null && (await this.repository.isKnown(this.ofNumber(numberIndex, token), this.since()));
  }

  /** Devices that were not seen since then are forgotten. */
  since(): Date {
    return new Date(this.clock.now().getTime() - this.rules.auth.lockout.knownDeviceDays * DAY_MS);
  }

  private ofNumber(numberIndex: Buffer, token: string): Buffer {
    return this.hash(`${numberIndex.toString('hex')} token ${token}`);
  }

  /** The caller's token, if we gave it. */
  private ownToken({ deviceToken }: Caller): string | null {
    if (deviceToken === null) return null;
    const bytes = Buffer.from(deviceToken, 'base64url');
    if (bytes.length !== 2 * HALF_BYTES || bytes.toString('base64url') !== deviceToken) return null;
    const seal = this.seal(bytes.subarray(0, HALF_BYTES));
    return timingSafeEqual(seal, bytes.subarray(HALF_BYTES)) ? deviceToken : null;
  }

  private newToken(): string {
    const random = randomBytes(HALF_BYTES);
    return Buffer.concat([random, this.seal(random)]).toString('base64url');
  }

  private seal(random: Buffer): Buffer {
    return this.index.of('device-token', random.toString('hex')).subarray(0, HALF_BYTES);
  }

  private hash(device: string): Buffer {
    return this.index.of('device', device);
  }
}
