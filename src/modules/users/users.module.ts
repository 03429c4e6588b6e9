import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { User } from './entities/user.entity.js';
import { ReportsController } from './reports/reports.controller.js';
import { ReportsPersonalData } from './reports/reports-personal-data.repository.js';
import { ReportsRepository } from './reports/reports.repository.js';
import { ReportsService } from './reports/reports.service.js';
import { StandingRepository } from './standing/standing.repository.js';
import { StandingService } from './standing/standing.service.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User])],
  controllers: [ReportsController],
  providers: [
    ReportsPersonalData,
    ReportsRepository,
    ReportsService,
    StandingRepository,
    StandingService,
    UsersRepository,
    UsersService,
  ],
  exports: [ReportsService, StandingService, UsersService],
})
export class UsersModule {}
