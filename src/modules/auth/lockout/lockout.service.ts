import { createHash, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import type { AllowanceRules } from '../../../platform/config/protection-rules.js';
import { Rules } from '../../../platform/config/rules.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { BlindIndex } from '../../../platform/security/blind-index.js';
import { Captcha } from '../../../platform/security/captcha/captcha.service.js';
import { networksOf } from '../domain/networks.js';
import { type Waits, waitsOf } from '../domain/waits.js';
import { KnownDevicesService } from './known-devices.service.js';
import { lockoutErrors } from './lockout.errors.js';
import { LOCKED_OUT } from './lockout.events.js';
import { type Counter, LockoutRepository } from './lockout.repository.js';

/** What is tried. Passwords and codes are counted apart: who has the password may not have tries at the code cleared by it. */
type Kind = 'password' | 'code';

/** Against whom: an account, or what was given for one that does not exist and locks just the same. */
export interface Target {
  userId: string | null;
  /** What the caller named the account by, such as its email. */
  identifier: string;
}

/** An attempt that was entered: the counters that count it, and those of them that are of the account alone. */
export interface Attempt {
  readonly keys: readonly Buffer[];
  readonly own: readonly Buffer[];
}

const DAY_MS = 86_400_000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 320;
const PAUSES = 20;

/**
 * Makes whoever tries wrong passwords and codes wait: three wrong ones lock for 30 s, each further one for twice as
 * long, up to 15 minutes; one is forgotten each hour. Strangers are counted together for each account, and by network for
 * all accounts. Who comes from a device that the account knows is counted by that device alone. So strangers cannot shut
 * out the owner: a known device passes, and so does a device on which the password was reset.
 *
 * Every attempt is entered in Postgres before its secret is compared, so of two hundred at once three are compared; and
 * it is entered the same way for an account that does not exist. Without Postgres nothing is compared.
 */
@HasHousekeeping()
@Injectable()
export class LockoutService implements Forgetful {
  readonly forgets = [
    async (limit: number) => await this.repository.deleteCounters(limit, this.daysAgo(this.memoryDays())),
    async (limit: number) => await this.repository.deleteDevices(limit, this.devices.since()),
  ];

  constructor(
    private readonly repository: LockoutRepository,
    private readonly devices: KnownDevicesService,
    private readonly index: BlindIndex,
    private readonly captcha: Captcha,
    private readonly audit: AuditService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Compares a secret, unless too many were wrong: `attempt` answers null or false when this one is. What it throws is
   * counted as neither. Outside any transaction.
   * Throws SIGN_IN_LOCKED; once wrong ones were tried CAPTCHA_REQUIRED, CAPTCHA_FAILED, CAPTCHA_UNAVAILABLE.
   */
  async guard<T>(
    kind: Kind,
    target: Target,
    caller: Caller,
    attempt: () => Promise<T | null | false>,
  ): Promise<T | null | false> {
    const strangers = this.strangersOf(kind, target, caller);
    const keys = await this.begin(kind, target, caller, strangers);
    const own = this.ownOf(keys, strangers);
    let outcome: T | null | false;
    try {
      outcome = await attempt();
    } catch (error) {
      await this.repository.finish(keys, []);
      throw error;
    }
    if (outcome === null || outcome === false) await this.punish(kind, target, keys, strangers);
    else await this.repository.finish(keys, own);
    return outcome;
  }

  /**
   * The same for an attempt that, when the secret is right, is finished by the transaction that it leads to, which `then` runs
   * (sign_in). Null: it is wrong.
   */
  async guardUntil<T>(
    kind: Kind,
    target: Target,
    caller: Caller,
    matches: () => Promise<boolean>,
    then: (attempt: Attempt) => Promise<T>,
  ): Promise<T | null> {
    const strangers = this.strangersOf(kind, target, caller);
    const keys = await this.begin(kind, target, caller, strangers);
    const own = this.ownOf(keys, strangers);
    let cleared: readonly Buffer[] = [];
    try {
      if (await matches()) {
        cleared = own;
        return await then({ keys, own });
      }
    } catch (error) {
      await this.repository.finish(keys, cleared);
      throw error;
    }
    await this.punish(kind, target, keys, strangers);
    return null;
  }

  /**
   * After a reset of the password: the account knows no device but that of who proved to be its owner, and forgets what
   * passwords strangers and that device have tried. Guesses at codes stay: reading mail does not prove the second factor.
   * The device's token. Joins the caller's transaction.
   */
  async startAnew(manager: EntityManager, userId: string, caller: Caller): Promise<string> {
    await this.repository.forgetDevicesOf(manager, userId);
    const deviceToken = await this.devices.remember(
      manager,
      { id: userId, numberIndex: null },
      caller,
      false,
    );
    const devices = this.devices.of(userId, { ...caller, deviceToken });
    await this.repository.forgive(manager, [
      this.accountKey('password', { userId, identifier: '' }),
      ...devices.map((device) => counterOf(device, 'password')),
    ]);
    return deviceToken;
  }

  private async begin(
    kind: Kind,
    target: Target,
    caller: Caller,
    strangers: readonly Counter[],
  ): Promise<Buffer[]> {
    const entry = {
      kind,
      userId: target.userId,
      devices: this.devices.of(target.userId ?? 'nobody', caller),
      strangers,
      knownSince: this.devices.since(),
      captchaAfter: this.captcha.isOn ? this.rules.auth.lockout.captchaAfter : null,
    };
    for (let pauses = 0; ; pauses += 1) {
      const { verdict, wait_seconds, keys } = await this.repository.begin(entry, this.waits());
      if (verdict === 'go') return keys;
      if (verdict === 'locked') throw lockoutErrors.SIGN_IN_LOCKED({ retryAfter: wait_seconds });
      if (verdict === 'captcha') {
        await this.captcha.require(caller.captcha, caller.address);
        entry.captchaAfter = null; // asked for once
      } else if (pauses === PAUSES) throw lockoutErrors.SIGN_IN_LOCKED({ retryAfter: 1 });
      else await sleep(randomInt(1, 2 * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** pauses)));
    }
  }

  /** Counts it, and tells of the lock that it raised: the audit log each time, the account's owner the first time. */
  private async punish(
    kind: Kind,
    target: Target,
    keys: readonly Buffer[],
    strangers: readonly Counter[],
  ): Promise<void> {
    const { account } = this.rules.auth.lockout;
    const known = strangers.every(({ key }) => !keys.some((one) => one.equals(key)));
    const counters = known ? keys.map((key) => counter(key, account)) : strangers;
    const own = this.ownOf(keys, strangers);
    await this.unitOfWork.run(async (manager) => {
      const counted = await this.repository.punish(manager, counters, this.waits());
      const locks = counted.filter(
        ({ key, locked_seconds }) => locked_seconds > 0 && own.some((one) => one.equals(key)),
      );
      if (locks.length === 0) return;
      const { userId } = target;
      await this.audit.record(manager, {
        actorId: null,
        action: 'auth.locked-out',
        subjectType: userId === null ? 'unknown-account' : 'user',
        subjectId: userId ?? this.accountKey(kind, target).toString('hex'),
        details: { kind, known, seconds: Math.max(...locks.map(({ locked_seconds }) => locked_seconds)) },
      });
      if (userId !== null && locks.some(({ failures }) => failures === account.attempts))
        await this.outbox.publish(manager, LOCKED_OUT, { userId });
    });
  }

  /** Those of the keys that count against the account, and not against a network. */
  private ownOf(keys: readonly Buffer[], [, ...networks]: readonly Counter[]): Buffer[] {
    return keys.filter((key) => !networks.some((network) => network.key.equals(key)));
  }

  /** The account's own counter first, as attempt_begin expects. */
  private strangersOf(kind: Kind, target: Target, caller: Caller): Counter[] {
    const { account, address, neighbourhood } = this.rules.auth.lockout;
    const networks = networksOf(caller.address);
    return [
      counter(this.accountKey(kind, target), account),
      counter(this.index.of('attempts', `address:${networks.address}`), address),
      counter(this.index.of('attempts', `neighbourhood:${networks.neighbourhood}`), neighbourhood),
    ];
  }

  private accountKey(kind: Kind, { userId, identifier }: Target): Buffer {
    const name = userId === null ? `named:${identifier.trim().toLowerCase()}` : `user:${userId}`;
    return this.index.of('attempts', `${kind}:${name}`);
  }

  private waits(): Waits {
    return waitsOf(this.rules.auth.lockout);
  }

  /** Days after which no counter remembers anything. */
  private memoryDays(): number {
    const { account, address, neighbourhood, takenAddresses } = this.rules.auth.lockout;
    const { doublings } = this.waits();
    const counted = [account, address, neighbourhood, takenAddresses.address, takenAddresses.neighbourhood];
    const seconds = counted.map(({ attempts, forgetSeconds }) => (attempts + doublings) * forgetSeconds);
    return 1 + Math.ceil((Math.max(...seconds) * 1000) / DAY_MS);
  }

  private daysAgo(days: number): Date {
    return new Date(this.clock.now().getTime() - days * DAY_MS);
  }
}

function counter(key: Buffer, { attempts, forgetSeconds }: AllowanceRules): Counter {
  return { key, attempts, forgetSeconds };
}

/** The counter of a known device, as attempt_begin makes it. */
function counterOf(device: Buffer, kind: Kind): Buffer {
  return createHash('sha256').update(device).update(kind).digest();
}
