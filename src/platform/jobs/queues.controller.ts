import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { EnumField, IntField, TextField, TimeField } from '../http/fields.js';
import { httpErrors } from '../http/http.errors.js';
import { Operation } from '../http/operation.decorator.js';
import { Operates } from '../security/operates.decorator.js';
import { RequiresPermission } from '../security/requires-permission.decorator.js';
import { DeadLettersService } from './dead-letters.service.js';
import { ALL_QUEUES } from './queues.js';

class QueueFiguresDto {
  @EnumField(ALL_QUEUES)
  queue: string;

  @IntField({ min: 0 })
  waiting: number;

  @IntField({ min: 0 })
  active: number;

  @IntField({ min: 0 })
  delayed: number;

  @IntField({ min: 0, description: 'Dead letters' })
  failed: number;
}

class DeadLetterDto {
  @EnumField(ALL_QUEUES)
  queue: string;

  @TextField({ max: 200, example: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e' })
  jobId: string;

  @TextField({ max: 200, example: 'sports.game-result-recorded' })
  topic: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: "The event's payload: ids and figures",
    example: { gameId: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e', version: 1 },
  })
  payload: unknown;

  @IntField({ min: 1, example: 12 })
  attempts: number;

  @TextField({ max: 2000, example: 'connect ECONNREFUSED' })
  failedReason: string;

  @TimeField({ nullable: true })
  failedAt: string | null;
}

class DeadLettersQuery {
  @IntField({ optional: true, query: true, min: 1, max: 100, example: 20 })
  limit?: number;
}

class DeadLetterParam {
  @EnumField(ALL_QUEUES)
  queue: string;

  @TextField({ max: 200, example: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e' })
  jobId: string;
}

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin/queues')
export class QueuesController {
  constructor(private readonly deadLetters: DeadLettersService) {}

  @Get()
  @RequiresPermission('queues.read')
  @Operation({ summary: 'The queues and how many jobs they hold', answer: QueueFiguresDto, list: 'whole' })
  async figures(): Promise<QueueFiguresDto[]> {
    return await this.deadLetters.figures();
  }

  @Get('dead-letters')
  @RequiresPermission('queues.inspect')
  @Operation({ summary: 'Jobs that failed every attempt', answer: DeadLetterDto, list: 'whole' })
  async list(@Query() query: DeadLettersQuery): Promise<DeadLetterDto[]> {
    const letters = await this.deadLetters.list(query.limit ?? 20);
    return letters.map(({ failedAt, ...letter }) => ({
      ...letter,
      failedAt: failedAt?.toISOString() ?? null,
    }));
  }

  @Post('dead-letters/:queue/:jobId/retry')
  @RequiresPermission('queues.retry')
  @Operation({ summary: 'Run a failed job again', answer: null, errors: [httpErrors.NOT_FOUND] })
  async retry(@Param() { queue, jobId }: DeadLetterParam): Promise<void> {
    await this.deadLetters.retry(queue, jobId);
  }
}
