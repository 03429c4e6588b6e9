import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ComplianceModule } from '../compliance/compliance.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { UsersModule } from '../users/users.module.js';
import { WalletModule } from '../wallet/wallet.module.js';
import { BuyBackPurchase } from './buy-back.purchase.js';
import { BuyBacksService } from './buy-backs.service.js';
import { DecidedStakesService } from './decided-stakes.service.js';
import { DrawRepository } from './draw.repository.js';
import { Week } from './entities/week.entity.js';
import { EntryFeesService } from './entry-fees.service.js';
import { FeesRepository } from './fees.repository.js';
import { GroupingService } from './grouping.service.js';
import { LeavingService } from './leaving.service.js';
import { MeController } from './me.controller.js';
import { MembersRepository } from './members.repository.js';
import { MeService } from './me.service.js';
import { PassesService } from './passes.service.js';
import { PoolsAdminController } from './pools-admin.controller.js';
import { PoolsPersonalData } from './pools-personal-data.repository.js';
import { PrizePaymentsService } from './prize-payments.service.js';
import { PrizesRepository } from './prizes.repository.js';
import { PrizesService } from './prizes.service.js';
import { PurchaseRecords } from './purchase-records.service.js';
import { PurchasesRepository } from './purchases.repository.js';
import { SubscriptionPurchase } from './subscription.purchase.js';
import { TablesService } from './tables.service.js';
import { WeekPassPurchase } from './week-pass.purchase.js';
import { WeekOpenedPort } from './week-opened.port.js';
import { WeeksController } from './weeks.controller.js';
import { WeeksRepository } from './weeks.repository.js';
import { WeeksService } from './weeks.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Week]), UsersModule, ComplianceModule, WalletModule, PaymentsModule],
  controllers: [WeeksController, MeController, PoolsAdminController],
  providers: [
    WeeksService,
    GroupingService,
    PassesService,
    BuyBacksService,
    PurchaseRecords,
    LeavingService,
    WeekPassPurchase,
    SubscriptionPurchase,
    BuyBackPurchase,
    EntryFeesService,
    TablesService,
    PrizesService,
    PrizePaymentsService,
    DecidedStakesService,
    MeService,
    WeekOpenedPort,
    WeeksRepository,
    DrawRepository,
    MembersRepository,
    PrizesRepository,
    PurchasesRepository,
    FeesRepository,
    PoolsPersonalData,
  ],
  exports: [WeeksService, GroupingService, LeavingService, PrizesService, WeekOpenedPort],
})
export class PoolsModule {}
