import { Injectable } from '@nestjs/common';
import type { Listed } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../platform/http/pagination.js';
import type {
  BalanceDto,
  HoldDto,
  HoldsQuery,
  StatementQuery,
  TransactionDto,
  TransactionsQuery,
  WalletDto,
} from './dto/wallet.dto.js';
import { LedgerService } from './ledger.service.js';
import {
  type EntryRow,
  type EntryFilter,
  type EntryKey,
  type HoldRow,
  LAST,
  WalletRepository,
} from './wallet.repository.js';

/** Microseconds since 1970 and the id, both always a bigint. */
const ENTRY_KEY = [/^\d{1,17}$/, /^\d{1,18}$/];
const HOLD_ID = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** What users see of their own money. */
@Injectable()
export class WalletService {
  constructor(
    private readonly repository: WalletRepository,
    private readonly ledger: LedgerService,
  ) {}

  async get(userId: string): Promise<WalletDto> {
    return { balances: await this.balancesOf(userId) };
  }

  /** One a currency that the user ever had, by its code. */
  async balancesOf(userId: string): Promise<BalanceDto[]> {
    const balances = await this.ledger.balancesOf(userId);
    return balances.map(({ currency, available, held, pending }) => ({
      currency,
      available: Number(available),
      held: Number(held),
      pending: Number(pending),
    }));
  }

  /** Newest first; a page of one type may be short, and be followed by others. Throws VALIDATION_FAILED, INVALID_CURSOR. */
  async transactions(userId: string, query: TransactionsQuery): Promise<Listed<TransactionDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const [micros = LAST.micros, id = LAST.id] = readCursor(query.cursor, ENTRY_KEY) ?? [];
    const page = { before: { micros, id }, limit: limit + 1 };
    const { rows, goesOnAfter } = await this.repository.newestEntries(userId, filterOf(query), page);
    return cursorPage<EntryRow, TransactionDto>(
      rows,
      limit,
      keyOf,
      toTransactionDto,
      goesOnAfter && keyOf(goesOnAfter),
    );
  }

  /** Newest first. Throws INVALID_CURSOR. */
  async holds(userId: string, query: HoldsQuery): Promise<Listed<HoldDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const before = readCursor(query.cursor, HOLD_ID)?.[0] ?? null;
    const rows = await this.repository.holds(userId, {
      status: query.status ?? null,
      before,
      limit: limit + 1,
    });
    return cursorPage<HoldRow, HoldDto>(rows, limit, ({ id }) => [id], toHoldDto);
  }
}

/** Throws VALIDATION_FAILED when the times are the wrong way round. */
export function filterOf({ type, currency, from, to }: StatementQuery): EntryFilter {
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
    throw httpErrors.VALIDATION_FAILED({ fields: [{ field: 'to', problems: ['to must be after from'] }] });
  return { type: type ?? null, currency: currency ?? null, from: from ?? null, to: to ?? null };
}

function keyOf({ micros, id }: EntryKey): string[] {
  return [micros, id];
}

function toTransactionDto(row: EntryRow): TransactionDto {
  return {
    id: row.id,
    transferId: row.transfer_id,
    type: row.type,
    account: row.account,
    amount: Number(row.amount),
    currency: row.currency,
    balanceAfter: Number(row.balance_after),
    reference: row.reference,
    reverses: row.reverses,
    at: row.created_at.toISOString(),
    effectiveAt: row.effective_at.toISOString(),
  };
}

function toHoldDto(row: HoldRow): HoldDto {
  const [amount, captured, released] = [Number(row.amount), Number(row.captured), Number(row.released)];
  return {
    id: row.id,
    purpose: row.purpose,
    status: row.status,
    amount,
    captured,
    released,
    remaining: amount - captured - released,
    currency: row.currency,
    expiresAt: row.expires_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}
