import { Body, Controller, Delete, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../../platform/http/answers.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { usersErrors } from '../../users/users.errors.js';
import { sessionErrors } from '../sessions/session.errors.js';
import { totpErrors } from '../totp/totp.errors.js';
import { adminErrors } from './admin.errors.js';
import { AdminUserDto, UpdateUserDto, UserParam, UsersQuery } from './dto/users-admin.dto.js';
import { SecondFactorRemovalService } from './second-factor-removal.service.js';
import { UsersAdminService } from './users-admin.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin/users')
export class UsersAdminController {
  constructor(
    private readonly users: UsersAdminService,
    private readonly secondFactors: SecondFactorRemovalService,
  ) {}

  @Get()
  @RequiresPermission('users.read')
  @Operation({ summary: 'Find users; the newest first', answer: AdminUserDto, list: 'page' })
  async list(@CurrentSubject() subject: Subject, @Query() query: UsersQuery): Promise<Listed<AdminUserDto>> {
    return await this.users.list(subject, query);
  }

  @Patch(':id')
  @RequiresPermission('users.update')
  @Operation({
    summary: "Change a user's role, ban a user, or lift a ban",
    description:
      'A ban or another role ends all sessions of the user at once. Nobody changes themselves, nor someone of their rank or above; admins change each other. Asks the operator for a recent proof.',
    answer: AdminUserDto,
    errors: [sessionErrors.PROOF_TOO_OLD, usersErrors.USER_NOT_FOUND, ...Object.values(adminErrors)],
  })
  async update(
    @CurrentSubject() subject: Subject,
    @Param() { id }: UserParam,
    @Body() body: UpdateUserDto,
  ): Promise<AdminUserDto> {
    return await this.users.update(subject, id, body);
  }

  @Delete(':id/totp')
  @RequiresPermission('users.secondFactor')
  @Operation({
    summary: 'Take the second factor away from a user who has lost it',
    description: 'Ends all sessions of the user, who is told by mail and signs in by the first factor alone.',
    answer: null,
    errors: [
      sessionErrors.PROOF_TOO_OLD,
      usersErrors.USER_NOT_FOUND,
      adminErrors.NOT_YOURS_TO_JUDGE,
      adminErrors.USER_ERASED,
      totpErrors.TOTP_NOT_ON,
    ],
  })
  async removeSecondFactor(@CurrentSubject() subject: Subject, @Param() { id }: UserParam): Promise<void> {
    await this.secondFactors.remove(subject, id);
  }
}
