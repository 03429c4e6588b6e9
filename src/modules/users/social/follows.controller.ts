import { Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { CursorQuery } from '../../../platform/http/pagination.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { FollowablePersonDto, HandleParam, UserParam } from '../dto/person.dto.js';
import { usersErrors } from '../users.errors.js';
import { FollowDto } from './dto/social.dto.js';
import { FollowsService } from './follows.service.js';
import { socialErrors } from './social.errors.js';

const PAIR_ERRORS = [usersErrors.USER_NOT_FOUND, socialErrors.YOURSELF];
const LIST_ERRORS = [usersErrors.USER_NOT_FOUND, httpErrors.INVALID_CURSOR];

@ApiTags('users')
@ApiBearerAuth('session')
@Controller('users')
export class FollowsController {
  constructor(private readonly service: FollowsService) {}

  @Operates('social', 'social')
  @Post(':id/follow')
  @Operation({ summary: 'Follow a user', answer: FollowDto, errors: PAIR_ERRORS })
  async follow(@CurrentSubject() subject: Subject, @Param() { id }: UserParam): Promise<FollowDto> {
    return await this.service.follow(subject, id);
  }

  @Operates('account')
  @Delete(':id/follow')
  @Operation({ summary: 'Follow a user no longer', answer: FollowDto, errors: PAIR_ERRORS })
  async unfollow(@CurrentSubject() subject: Subject, @Param() { id }: UserParam): Promise<FollowDto> {
    return await this.service.unfollow(subject, id);
  }

  @Get(':handle/followers')
  @Operation({
    summary: 'Who follows a user, newest first',
    description: 'Without those who have blocked the caller or whom the caller has blocked.',
    answer: FollowablePersonDto,
    list: 'cursor',
    errors: LIST_ERRORS,
  })
  async followers(
    @CurrentSubject() subject: Subject,
    @Param() { handle }: HandleParam,
    @Query() query: CursorQuery,
  ): Promise<Listed<FollowablePersonDto>> {
    return await this.service.followers(subject, handle, query);
  }

  @Get(':handle/following')
  @Operation({
    summary: 'Whom a user follows, newest first',
    description: 'Without those who have blocked the caller or whom the caller has blocked.',
    answer: FollowablePersonDto,
    list: 'cursor',
    errors: LIST_ERRORS,
  })
  async following(
    @CurrentSubject() subject: Subject,
    @Param() { handle }: HandleParam,
    @Query() query: CursorQuery,
  ): Promise<Listed<FollowablePersonDto>> {
    return await this.service.following(subject, handle, query);
  }
}
