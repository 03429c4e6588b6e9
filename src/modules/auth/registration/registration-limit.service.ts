import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { AllowanceRules } from '../../../platform/config/protection-rules.js';
import { Rules } from '../../../platform/config/rules.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Caller } from '../../../platform/http/caller.decorator.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { BlindIndex } from '../../../platform/security/blind-index.js';
import { networksOf } from '../domain/networks.js';
import { waitsOf } from '../domain/waits.js';
import { lockoutErrors } from '../lockout/lockout.errors.js';
import { type Counter, LockoutRepository } from '../lockout/lockout.repository.js';

const PAUSES = 20;
const LONGEST_PAUSE_MS = 250;

/**
 * Who asks the registration which addresses have an account is made to wait as who guesses passwords is, by network and by
 * counters of its own: whatever guesses do to a network, people there can register, and the other way round. An attempt is
 * entered in Postgres before the address is looked at, so of two hundred at once no more are answered than of two hundred in turn.
 */
@Injectable()
export class RegistrationLimitService {
  constructor(
    private readonly repository: LockoutRepository,
    private readonly index: BlindIndex,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly rules: Rules,
  ) {}

  /**
   * Runs `attempt`, which answers null when it has told that an address has an account. What it throws tells nothing and is
   * not counted. Outside any transaction. Throws SIGN_IN_LOCKED.
   */
  async guard<T>(caller: Caller, attempt: () => Promise<T | null>): Promise<T | null> {
    const counters = this.countersOf(caller);
    const keys = await this.begin(counters);
    let outcome: T | null;
    try {
      outcome = await attempt();
    } catch (error) {
      await this.repository.finish(keys, []);
      throw error;
    }
    if (outcome === null) await this.count(counters);
    else await this.repository.finish(keys, []);
    return outcome;
  }

  private async begin(strangers: readonly Counter[]): Promise<readonly Buffer[]> {
    const entry = {
      kind: 'registration',
      userId: null,
      devices: [],
      strangers,
      knownSince: new Date(0),
      captchaAfter: null, // the route asks everybody
    };
    for (let pauses = 0; ; pauses += 1) {
      const { verdict, wait_seconds, keys } = await this.repository.begin(entry, this.waits());
      if (verdict === 'go') return keys;
      if (verdict === 'locked') throw lockoutErrors.SIGN_IN_LOCKED({ retryAfter: wait_seconds });
      if (pauses === PAUSES) throw lockoutErrors.SIGN_IN_LOCKED({ retryAfter: 1 });
      await sleep(randomInt(1, LONGEST_PAUSE_MS));
    }
  }

  private async count(counters: readonly Counter[]): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const counted = await this.repository.punish(manager, counters, this.waits());
      for (const { key, locked_seconds: seconds } of counted)
        if (seconds > 0)
          await this.audit.record(manager, {
            actorId: null,
            action: 'auth.registration-locked',
            subjectType: 'network',
            subjectId: key.toString('hex'),
            details: { seconds },
          });
    });
  }

  private countersOf({ address }: Caller): Counter[] {
    const networks = networksOf(address);
    const { takenAddresses: allowed } = this.rules.auth.lockout;
    const counter = (network: string, { attempts, forgetSeconds }: AllowanceRules) => ({
      key: this.index.of('attempts', `registration:${network}`),
      attempts,
      forgetSeconds,
    });
    return [
      counter(`address:${networks.address}`, allowed.address),
      counter(`neighbourhood:${networks.neighbourhood}`, allowed.neighbourhood),
    ];
  }

  private waits() {
    return waitsOf(this.rules.auth.lockout);
  }
}
