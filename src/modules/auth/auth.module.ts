import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { AccessTokensService } from './access-tokens.service.js';
import { AccountsService } from './accounts.service.js';
import { AdminsService } from './admins.service.js';
import { AuthController } from './auth.controller.js';
import { AuthGuard } from './auth.guard.js';
import { CredentialsRepository } from './credentials.repository.js';
import { PasswordsService } from './passwords.service.js';
import { SignInService } from './sign-in.service.js';
import { RolesGuard } from './roles.guard.js';
import { SessionCache } from './session-cache.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';

@Module({
  imports: [UsersModule],
  controllers: [AuthController],
  providers: [
    AccountsService,
    PasswordsService,
    SignInService,
    CredentialsRepository,
    AdminsService,
    SessionsService,
    SessionsRepository,
    SessionCache,
    AccessTokensService,
    AuthGuard,
    RolesGuard,
  ],
  exports: [AdminsService, SessionsService, AccessTokensService, AuthGuard, RolesGuard],
})
export class AuthModule {}
