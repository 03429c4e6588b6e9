import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { AuditService } from '../observability/audit.service.js';
import { MetricsService } from '../observability/metrics.service.js';
import { AuditChainRepository, type ChainEnd } from './audit-chain.repository.js';
import {
  BEGINNING,
  type ChainEntry,
  type ChainHead,
  differences,
  type EntryKey,
  headOf,
  isUpTo,
  problemsOfSeal,
  type Seal,
} from './chain.js';

const ACTION = 'audit.verified';
/** Problems that are told. */
const TOLD = 100;
const SEALS_AT_A_TIME = 50;
const ENTRIES_AT_A_TIME = 2000;
/** Entries of one seal that are compared: more than any has. Of those beyond only the number is told. */
const COMPARED = 5000;

/** Something in the log or its seals that is not as it was. */
export interface AuditProblem {
  /** `seal 17`, `the log`. */
  readonly subject: string;
  readonly problem: string;
}

export interface AuditReport {
  readonly passed: boolean;
  readonly seals: number;
  /** Entries that were read, up to the last seal. */
  readonly entries: number;
  /** The last seal: keep it elsewhere. Null when nothing is sealed. */
  readonly head: ChainHead | null;
  readonly problems: AuditProblem[];
  /** How many there are; of those beyond 100 only the number is known. */
  readonly found: number;
  readonly milliseconds: number;
}

export interface VerifyOptions {
  /** Heads that were kept elsewhere: each must be in the chain. */
  readonly told?: readonly ChainHead[];
  /** Called now and then with the entries read, of how many. */
  readonly onProgress?: (read: number, total: number) => void;
}

/** Proves that the audit log is what was sealed, beside the running system and without a lock or a long transaction. */
@Injectable()
export class AuditVerifyService implements OnModuleInit {
  private readonly logger = new Logger('AuditLog');

  constructor(
    private readonly repository: AuditChainRepository,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly metrics: MetricsService,
  ) {}

  /** Whichever process verified last: the log tells all of them. */
  onModuleInit(): void {
    const last = async () => this.repository.lastVerification(ACTION);
    this.metrics.gauge(
      'parley_audit_problems',
      'What was not as sealed when the audit log was last verified',
      [],
      async (figure) => {
        const found = await last();
        if (found) figure.set(found.problems);
      },
    );
    this.metrics.gauge(
      'parley_audit_verified_timestamp_seconds',
      'When the audit log was last verified',
      [],
      async (figure) => {
        const found = await last();
        if (found) figure.set(found.seconds);
      },
    );
    this.metrics.gauge(
      'parley_audit_head',
      'The last seal that a verification found, by its number and hash',
      ['seal', 'hash'],
      async (figure) => {
        const found = await last();
        if (found?.number != null && found.hash !== null)
          figure.set({ seal: found.number, hash: found.hash }, 1);
      },
    );
    this.metrics.gauge(
      'parley_audit_unsealed_seconds',
      'Age of the oldest entry of the audit log that is not sealed',
      [],
      async (figure) => {
        const end = await this.repository.end();
        figure.set(await this.repository.unsealedSeconds(end?.last ?? BEGINNING));
      },
    );
  }

  /** Reads everything once, a page at a time, and changes nothing but the audit log, in which it notes what it found. */
  async verify(options: VerifyOptions = {}): Promise<AuditReport> {
    const began = performance.now();
    const findings = new Findings();
    const end = await this.repository.end();
    const read = end === null ? { seals: 0, entries: 0 } : await this.readChain(end, findings, options);
    await this.checkTold(options.told ?? [], findings);
    for (const name of await this.repository.unguarded())
      findings.add('the database', `${name} can be changed: its trigger is off, or gone`);
    for (const { id } of await this.repository.ofNoTransaction(TOLD))
      findings.add('the log', `entry ${id} is of a transaction that has not been`);
    const report: AuditReport = {
      passed: findings.found === 0,
      ...read,
      head: end && { number: end.number, hash: end.hash },
      problems: findings.problems,
      found: findings.found,
      milliseconds: Math.round(performance.now() - began),
    };
    await this.note(report);
    return report;
  }

  /** The chain from its first seal to `end`, each with the entries between the seal before and its own last one. */
  private async readChain(
    end: ChainEnd,
    findings: Findings,
    { onProgress }: VerifyOptions,
  ): Promise<{ seals: number; entries: number }> {
    const total = onProgress === undefined ? 0 : await this.repository.size(end.number);
    const feed = new EntryFeed(this.repository, end.last);
    let before: ChainHead | null = null;
    let seals = 0;
    for (;;) {
      const page: Seal[] = await this.repository.seals(before?.number ?? 0, end.number, SEALS_AT_A_TIME);
      for (const seal of page) {
        for (const problem of problemsOfSeal(seal, before)) findings.add(`seal ${seal.number}`, problem);
        const { entries, more } = await feed.upTo(seal.last);
        for (const problem of differences(seal.digests, entries))
          findings.add(`seal ${seal.number}`, problem);
        if (more > 0) findings.add(`seal ${seal.number}`, `${more} entries more were inserted`);
        before = headOf(seal);
      }
      seals += page.length;
      onProgress?.(feed.read, total);
      if (page.length < SEALS_AT_A_TIME) break;
    }
    if (before === null || before.hash !== end.hash)
      findings.add('the chain', `its end was seal ${end.number} when the reading began, and is not any more`);
    return { seals, entries: feed.read };
  }

  /** What was told of the chain, to somebody who kept it or to the log itself, must still be in it. */
  private async checkTold(told: readonly ChainHead[], findings: Findings): Promise<void> {
    for (const { number, hash } of told)
      if ((await this.repository.hashOf(number)) !== hash)
        findings.add('the chain', `seal ${number}, ${hash}, is not in it: its end was cut off or replaced`);
    for (const { id, number } of await this.repository.lostHeads(ACTION, TOLD))
      findings.add('the chain', `seal ${number}, as entry ${id} tells of it, was cut off or replaced`);
  }

  private async note({ problems, found, ...figures }: AuditReport): Promise<void> {
    const details = { ...figures, problems: found };
    await this.unitOfWork.run(async (manager) =>
      this.audit.record(manager, {
        actorId: null,
        action: ACTION,
        subjectType: 'audit-log',
        subjectId: 'audit-log',
        details,
      }),
    );
    if (found === 0) this.logger.log(details, 'the audit log is as it was sealed');
    else this.logger.error({ ...details, first: problems }, 'the audit log is not as it was sealed');
  }
}

class Findings {
  readonly problems: AuditProblem[] = [];
  found = 0;

  add(subject: string, problem: string): void {
    this.found += 1;
    if (this.problems.length < TOLD) this.problems.push({ subject, problem });
  }
}

/** The entries in their order, a page in memory at a time. */
class EntryFeed {
  read = 0;
  private page: ChainEntry[] = [];
  private next = 0;
  private after: EntryKey = BEGINNING;

  constructor(
    private readonly repository: AuditChainRepository,
    private readonly end: EntryKey,
  ) {}

  /** Those from where it stands up to a key; `more` counts those that are too many to be held. */
  async upTo(key: EntryKey): Promise<{ entries: ChainEntry[]; more: number }> {
    const entries: ChainEntry[] = [];
    let more = 0;
    for (let entry = await this.peek(); entry !== null && isUpTo(entry, key); entry = await this.peek()) {
      if (entries.length < COMPARED) entries.push(entry);
      else more += 1;
      this.next += 1;
      this.read += 1;
    }
    return { entries, more };
  }

  private async peek(): Promise<ChainEntry | null> {
    if (this.next === this.page.length) {
      this.page = await this.repository.entries(this.after, this.end, ENTRIES_AT_A_TIME);
      this.next = 0;
      this.after = this.page.at(-1) ?? this.after;
    }
    return this.page[this.next] ?? null;
  }
}
