import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Accepted, Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { MarketVoidDto } from '../dto/market-voids.dto.js';
import { sportsErrors } from '../sports.errors.js';
import { DecideDoubtDto, FeedDoubtDto, FeedDoubtParam, FeedDoubtsQuery, FeedDto } from './dto/feeds.dto.js';
import { FeedQuarantineService } from './feed-quarantine.service.js';
import { feedErrors } from './feeds.errors.js';
import { FeedsService } from './feeds.service.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin')
export class FeedsAdminController {
  constructor(
    private readonly feeds: FeedsService,
    private readonly quarantine: FeedQuarantineService,
  ) {}

  @Get('feeds')
  @RequiresPermission('feeds.read')
  @Operation({
    summary: 'Feeds that are or were followed, and how they are',
    answer: FeedDto,
    list: 'whole',
  })
  async list(): Promise<FeedDto[]> {
    return await this.feeds.list();
  }

  @Get('feed-quarantine')
  @RequiresPermission('feeds.read')
  @Operation({
    summary: 'What feeds said and is not believed; the oldest first',
    answer: FeedDoubtDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async doubts(@Query() query: FeedDoubtsQuery): Promise<Listed<FeedDoubtDto>> {
    return await this.quarantine.list(query);
  }

  @Post('feed-quarantine/:id/decide')
  @RequiresPermission('feeds.decide')
  @Operation({
    summary: 'Take over what a feed said, or dismiss it',
    description:
      'Accepting a score, a result or a start takes it over as if you had said it yourself. Prices cannot be accepted: their market opens with the next price that passes the checks. What was dismissed is shown again when the feed says it again. A word that voids a game with many bets is taken over when a second person accepts it as well: the first is answered with what waits.',
    answer: FeedDoubtDto,
    waits: MarketVoidDto,
    errors: [
      ...Object.values(feedErrors),
      sportsErrors.GAME_NOT_STARTED,
      sportsErrors.RESULT_INCOMPLETE,
      sportsErrors.GAME_STATE_CONFLICT,
      sportsErrors.SECOND_PERSON_NEEDED,
    ],
  })
  async decide(
    @CurrentSubject() subject: Subject,
    @Param() { id }: FeedDoubtParam,
    @Body() body: DecideDoubtDto,
  ): Promise<FeedDoubtDto | Accepted<MarketVoidDto>> {
    return await this.quarantine.decide(subject, id, body);
  }
}
