import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { Snapshot } from '../../platform/database/snapshot.js';
import { LEDGER_RULES, type LedgerRule } from './verify-rules.repository.js';
import type { LedgerProblem, LedgerReport, VerifiedRule } from './verify.types.js';

/** Problems that are told of one rule. */
const TOLD = 100;
const HOUR_MS = 3_600_000;

type Figures = Record<'accounts' | 'transfers' | 'entries' | 'holds', string>;

@Injectable()
export class VerifyRepository {
  constructor(private readonly database: Database) {}

  /** Runs every rule on one snapshot, a statement each. Null when another verification is under way. */
  async verify(): Promise<LedgerReport | null> {
    return await this.database.readSnapshot(async (snapshot) => {
      const began = performance.now();
      const [lock] = await snapshot.all<{ mine: boolean }>(
        'SELECT pg_try_advisory_xact_lock(4242, 23) AS mine',
      );
      if (lock?.mine !== true) return null;
      // Sorts and hashes of this transaction take that much each, the rest goes to disk; compiling them does not pay.
      await snapshot.all("SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)");
      const [figures] = await snapshot.all<Figures>(
        `SELECT (SELECT count(*) FROM ledger_accounts) AS accounts, (SELECT count(*) FROM ledger_transfers) AS transfers,
                (SELECT count(*) FROM ledger_entries) AS entries, (SELECT count(*) FROM ledger_holds) AS holds`,
      );
      const rules: VerifiedRule[] = [];
      for (const rule of LEDGER_RULES) rules.push(await this.check(snapshot, rule));
      return {
        passed: rules.every(({ problems }) => problems.length === 0),
        accounts: Number(figures?.accounts),
        transfers: Number(figures?.transfers),
        entries: Number(figures?.entries),
        holds: Number(figures?.holds),
        milliseconds: Math.round(performance.now() - began),
        rules,
      };
    }, HOUR_MS);
  }

  private async check(snapshot: Snapshot, { rule, sql }: LedgerRule): Promise<VerifiedRule> {
    const found = await snapshot.all<{ subject: string; problem: string }>(
      // Materialised, so that it is planned for all that it reads and not for the first rows.
      `WITH found AS MATERIALIZED (${sql}) SELECT subject, problem FROM found LIMIT ${TOLD + 1}`,
    );
    const problems: LedgerProblem[] = found
      .slice(0, TOLD)
      .map(({ subject, problem }) => ({ subject, problem }));
    return { rule, problems, more: found.length > TOLD };
  }

  /** What the audit log says of the last verification. Index: ix_audit_log_action. */
  async lastOf(action: string): Promise<{ broken: number; seconds: number } | null> {
    const [row] = await this.database.query<{ broken: number; seconds: number }>(
      'wallet.last_verification',
      `SELECT jsonb_array_length(details->'broken') AS broken, extract(epoch FROM at)::float8 AS seconds
       FROM audit_log WHERE action = $1 ORDER BY at DESC, id DESC LIMIT 1`,
      [action],
    );
    return row ?? null;
  }
}
