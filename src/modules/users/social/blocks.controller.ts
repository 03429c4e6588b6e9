import { Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { CursorQuery } from '../../../platform/http/pagination.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { PersonDto, UserParam } from '../dto/person.dto.js';
import { usersErrors } from '../users.errors.js';
import { BlocksService } from './blocks.service.js';
import { socialErrors } from './social.errors.js';

const PAIR_ERRORS = [usersErrors.USER_NOT_FOUND, socialErrors.YOURSELF];

@ApiTags('users')
@ApiBearerAuth('session')
@Operates('account')
@Controller('users')
export class BlocksController {
  constructor(private readonly service: BlocksService) {}

  @Get('me/blocks')
  @Operation({
    summary: 'Whom the caller has blocked, newest first',
    answer: PersonDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async blocked(@CurrentSubject() subject: Subject, @Query() query: CursorQuery): Promise<Listed<PersonDto>> {
    return await this.service.blocked(subject, query);
  }

  @Get('me/mutes')
  @Operation({
    summary: 'Whom the caller has muted, newest first',
    answer: PersonDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async muted(@CurrentSubject() subject: Subject, @Query() query: CursorQuery): Promise<Listed<PersonDto>> {
    return await this.service.muted(subject, query);
  }

  @Post(':id/block')
  @Operation({
    summary: 'Block a user',
    description:
      'Neither sees the other any more. Ends the follows of the two, both ways, and their contact.',
    answer: null,
    errors: PAIR_ERRORS,
  })
  async block(@CurrentSubject() subject: Subject, @Param() { id }: UserParam): Promise<void> {
    await this.service.block(subject, id);
  }

  @Delete(':id/block')
  @Operation({
    summary: 'Block a user no longer',
    description: 'Brings no follow and no contact back.',
    answer: null,
    errors: PAIR_ERRORS,
  })
  async unblock(@CurrentSubject() subject: Subject, @Param() { id }: UserParam): Promise<void> {
    await this.service.unblock(subject, id);
  }

  @Post(':id/mute')
  @Operation({
    summary: 'Mute a user: the caller hears of them no more, and they are not told',
    answer: null,
    errors: PAIR_ERRORS,
  })
  async mute(@CurrentSubject() subject: Subject, @Param() { id }: UserParam): Promise<void> {
    await this.service.mute(subject, id);
  }

  @Delete(':id/mute')
  @Operation({ summary: 'Mute a user no longer', answer: null, errors: PAIR_ERRORS })
  async unmute(@CurrentSubject() subject: Subject, @Param() { id }: UserParam): Promise<void> {
    await this.service.unmute(subject, id);
  }
}
