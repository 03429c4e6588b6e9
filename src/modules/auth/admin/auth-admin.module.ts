import { Module } from '@nestjs/common';
import { UsersModule } from '../../users/users.module.js';
import { AuthModule } from '../auth.module.js';
import { ModerationService } from './moderation.service.js';
import { ReportsAdminController } from './reports-admin.controller.js';
import { SecondFactorRemovalService } from './second-factor-removal.service.js';
import { StandingChangesService } from './standing-changes.service.js';
import { UsersAdminController } from './users-admin.controller.js';
import { UsersAdminService } from './users-admin.service.js';

/** What operators do about users. */
@Module({
  imports: [UsersModule, AuthModule],
  controllers: [UsersAdminController, ReportsAdminController],
  providers: [UsersAdminService, SecondFactorRemovalService, StandingChangesService, ModerationService],
})
export class AuthAdminModule {}
