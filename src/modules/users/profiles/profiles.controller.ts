import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../../platform/http/answers.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { FollowablePersonDto, HandleParam } from '../dto/person.dto.js';
import { usersErrors } from '../users.errors.js';
import { MyProfileDto, PublicProfileDto, SearchQuery, UpdateProfileDto } from './dto/profiles.dto.js';
import { profilesErrors } from './profiles.errors.js';
import { ProfilesService } from './profiles.service.js';

@ApiTags('users')
@ApiBearerAuth('session')
@Controller('users')
export class ProfilesController {
  constructor(private readonly service: ProfilesService) {}

  @Get()
  @Operation({
    summary: 'Find users',
    description:
      'Without regard to case and accents. Best first: the handle itself, handles and names that begin with the text, names ' +
      'like it, words of names and bios; 200 at most. Without those who have blocked the caller or whom the caller has blocked.',
    answer: FollowablePersonDto,
    list: 'page',
  })
  async search(
    @CurrentSubject() subject: Subject,
    @Query() query: SearchQuery,
  ): Promise<Listed<FollowablePersonDto>> {
    return await this.service.search(subject, query);
  }

  @Operates('account')
  @Get('me')
  @Operation({ summary: "The caller's profile", answer: MyProfileDto, errors: [usersErrors.USER_NOT_FOUND] })
  async getOwn(@CurrentSubject() subject: Subject): Promise<MyProfileDto> {
    return await this.service.getOwn(subject);
  }

  @Operates('account')
  @Patch('me')
  @Operation({
    summary: "Change the caller's profile",
    description:
      'What is absent stays; null takes away. Text has its length in code points and comes back as it was sent. A handle ' +
      'changes once in 30 days, and nobody else gets the old one for as long.',
    answer: MyProfileDto,
    errors: [
      usersErrors.USER_NOT_FOUND,
      usersErrors.HANDLE_TAKEN,
      usersErrors.HANDLE_RESERVED,
      profilesErrors.HANDLE_CHANGED_RECENTLY,
      profilesErrors.SPORT_UNKNOWN,
    ],
  })
  async update(@CurrentSubject() subject: Subject, @Body() body: UpdateProfileDto): Promise<MyProfileDto> {
    return await this.service.update(subject, body);
  }

  @Get(':handle')
  @Operation({
    summary: "A user's public profile",
    description: 'Whoever has blocked the caller, or was blocked by the caller, is not found.',
    answer: PublicProfileDto,
    errors: [usersErrors.USER_NOT_FOUND],
  })
  async getPublic(
    @CurrentSubject() subject: Subject,
    @Param() { handle }: HandleParam,
  ): Promise<PublicProfileDto> {
    return await this.service.getPublic(subject.userId, handle);
  }
}
