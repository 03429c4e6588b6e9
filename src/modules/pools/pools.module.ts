import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { DrawRepository } from './draw.repository.js';
import { Week } from './entities/week.entity.js';
import { GroupingService } from './grouping.service.js';
import { MeController } from './me.controller.js';
import { MembersRepository } from './members.repository.js';
import { MeService } from './me.service.js';
import { PassesService } from './passes.service.js';
import { PoolsAdminController } from './pools-admin.controller.js';
import { PoolsPersonalData } from './pools-personal-data.repository.js';
import { PrizesRepository } from './prizes.repository.js';
import { PrizesService } from './prizes.service.js';
import { TablesService } from './tables.service.js';
import { WeekOpenedPort } from './week-opened.port.js';
import { WeeksController } from './weeks.controller.js';
import { WeeksRepository } from './weeks.repository.js';
import { WeeksService } from './weeks.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Week]), UsersModule],
  controllers: [WeeksController, MeController, PoolsAdminController],
  providers: [
    WeeksService,
    GroupingService,
    PassesService,
    TablesService,
    PrizesService,
    MeService,
    WeekOpenedPort,
    WeeksRepository,
    DrawRepository,
    MembersRepository,
    PrizesRepository,
    PoolsPersonalData,
  ],
  exports: [WeeksService, GroupingService, PrizesService, WeekOpenedPort],
})
export class PoolsModule {}
