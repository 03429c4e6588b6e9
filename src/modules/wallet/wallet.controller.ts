import { Controller, Get, Header, Query, type StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../platform/http/answers.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import {
  HoldDto,
  HoldsQuery,
  StatementQuery,
  TransactionDto,
  TransactionsQuery,
  WalletDto,
} from './dto/wallet.dto.js';
import { StatementsService } from './statements.service.js';
import { WalletService } from './wallet.service.js';

@ApiTags('wallet')
@ApiBearerAuth('session')
@Operates('account')
@Controller('wallet')
export class WalletController {
  constructor(
    private readonly wallet: WalletService,
    private readonly statements: StatementsService,
  ) {}

  @Get()
  @Operation({ summary: "The caller's balances", answer: WalletDto })
  async get(@CurrentSubject() subject: Subject): Promise<WalletDto> {
    return await this.wallet.get(subject.userId);
  }

  @Get('transactions')
  @Operation({
    summary: "What was booked on the caller's accounts, newest first",
    description:
      'Ordered by id, descending. Holding money is two transactions of one transfer: available less, held more. What is ' +
      'booked while pages are read comes before the first one; no transaction is on two pages, none is left out. Of one type ' +
      'the newest 5,000 transactions are looked through for each page: it may be short or empty, and is the last one only when ' +
      'nextCursor is null.',
    answer: TransactionDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async transactions(
    @CurrentSubject() subject: Subject,
    @Query() query: TransactionsQuery,
  ): Promise<Listed<TransactionDto>> {
    return await this.wallet.transactions(subject.userId, query);
  }

  @Get('transactions.csv')
  @Header('Cache-Control', 'private, no-store')
  @ApiResponse({
    status: 200,
    description: 'The statement',
    content: { 'text/csv': { schema: { type: 'string' } } },
  })
  @Operation({
    summary: "The caller's transactions as CSV, oldest first",
    description:
      'RFC 4180, UTF-8, with a header record. Amounts are decimal numbers of their currency, not minor units.',
    answer: null,
  })
  async statement(
    @CurrentSubject() subject: Subject,
    @Query() query: StatementQuery,
  ): Promise<StreamableFile> {
    return await this.statements.write(subject.userId, query);
  }

  @Get('holds')
  @Operation({
    summary: 'Money that is or was held for something under way, newest first',
    answer: HoldDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async holds(@CurrentSubject() subject: Subject, @Query() query: HoldsQuery): Promise<Listed<HoldDto>> {
    return await this.wallet.holds(subject.userId, query);
  }
}
