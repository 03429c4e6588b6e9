import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../platform/database/snapshot.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../platform/privacy/personal-data.decorator.js';

const BOOKS = 'the books of the money, which only prove themselves whole; ids and figures only';

/** Accounts and entries know a user by the id that is an account's owner. */
@HoldsPersonalData()
@Injectable()
export class WalletPersonalData implements PersonalDataHolder {
  readonly tables = [];
  readonly kept = [
    { table: 'ledger_transfers', why: BOOKS },
    { table: 'ledger_holds', why: BOOKS },
    {
      table: 'ledger_verifications',
      why: 'which operator had the books proved, and what was found; ids and figures only',
    },
  ];

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    const section = sectionsOf(snapshot, userId);
    return [
      section(
        'wallet-accounts',
        `SELECT id, kind, currency, balance, created_at FROM ledger_accounts
         WHERE kind IN ('user_available', 'user_held') AND owner = $1::uuid::text ORDER BY currency, kind`,
      ),
      section(
        'wallet-transactions',
        `SELECT e.id::text AS id, e.transfer_id, t.type, t.reference, a.kind AS account, e.amount, a.currency, e.balance_after,
                e.created_at, t.effective_at, t.reverses, t.requested_by = $1 AS by_you
         FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id JOIN ledger_transfers t ON t.id = e.transfer_id
         WHERE a.kind IN ('user_available', 'user_held') AND a.owner = $1::uuid::text ORDER BY e.created_at, e.id`,
      ),
      section(
        'wallet-holds',
        `SELECT id, purpose, status, amount, captured, released, currency, reference, expires_at, created_at, closed_at
         FROM ledger_holds WHERE user_id = $1 ORDER BY id`,
      ),
    ];
  }

  /** Nothing of it tells who the user was: the id that the books keep is nobody's once the user is erased. */
  erase(): Promise<void> {
    return Promise.resolve();
  }

  /** Money is paid out to a person first. Index: ux_ledger_accounts. */
  async openMatter(manager: EntityManager, userId: string): Promise<string | null> {
    const rows = await manager.query<unknown[]>(
      `SELECT FROM ledger_accounts
       WHERE kind IN ('user_available', 'user_held') AND owner = $1 AND balance <> 0 LIMIT 1`,
      [userId],
    );
    return rows.length > 0 ? 'money_in_wallet' : null;
  }
}
