import { Module } from '@nestjs/common';
import { LedgerRepository } from './ledger.repository.js';
import { LedgerService } from './ledger.service.js';
import { PendingMoneyPort } from './pending-money.port.js';
import { StatementsService } from './statements.service.js';
import { VerificationsRepository } from './verifications.repository.js';
import { VerificationsService } from './verifications.service.js';
import { VerifyAdminController } from './verify-admin.controller.js';
import { VerifyRepository } from './verify.repository.js';
import { VerifyService } from './verify.service.js';
import { WalletPersonalData } from './wallet-personal-data.repository.js';
import { WalletUpdatesService } from './wallet-updates.service.js';
import { WalletController } from './wallet.controller.js';
import { WalletRepository } from './wallet.repository.js';
import { WalletService } from './wallet.service.js';

@Module({
  controllers: [WalletController, VerifyAdminController],
  providers: [
    LedgerRepository,
    LedgerService,
    PendingMoneyPort,
    WalletRepository,
    WalletService,
    StatementsService,
    WalletUpdatesService,
    WalletPersonalData,
    VerifyRepository,
    VerifyService,
    VerificationsRepository,
    VerificationsService,
  ],
  exports: [
    LedgerRepository,
    LedgerService,
    PendingMoneyPort,
    WalletService,
    WalletUpdatesService,
    VerifyService,
    VerificationsService,
  ],
})
export class WalletModule {}
