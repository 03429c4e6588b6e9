import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/auth.module.js';
import { ComplianceModule } from '../../compliance/compliance.module.js';
import { KycModule } from '../../compliance/kyc/kyc.module.js';
import { UsersModule } from '../../users/users.module.js';
import { WalletModule } from '../../wallet/wallet.module.js';
import { PaymentProvidersModule } from '../payment-providers.module.js';
import { PaymentsModule } from '../payments.module.js';
import { PayoutsService } from './payouts.service.js';
import { RejectionsRepository } from './rejections.repository.js';
import { WithdrawalAnswers } from './withdrawal-answers.js';
import { WithdrawalDecisionsService } from './withdrawal-decisions.service.js';
import { WithdrawalsAdminController } from './withdrawals-admin.controller.js';
import { WithdrawalsPersonalData } from './withdrawals-personal-data.repository.js';
import { WithdrawalsUpkeep } from './withdrawals-upkeep.service.js';
import { WithdrawalsController } from './withdrawals.controller.js';
import { WithdrawalsRepository } from './withdrawals.repository.js';
import { WithdrawalsService } from './withdrawals.service.js';

/** Money out of wallets. */
@Module({
  imports: [
    AuthModule,
    ComplianceModule,
    KycModule,
    UsersModule,
    WalletModule,
    PaymentProvidersModule,
    PaymentsModule,
  ],
  controllers: [WithdrawalsController, WithdrawalsAdminController],
  providers: [
    WithdrawalsService,
    WithdrawalDecisionsService,
    PayoutsService,
    WithdrawalAnswers,
    RejectionsRepository,
    WithdrawalsRepository,
    WithdrawalsPersonalData,
    WithdrawalsUpkeep,
  ],
  exports: [PayoutsService],
})
export class WithdrawalsModule {}
