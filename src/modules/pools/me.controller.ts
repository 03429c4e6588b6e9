import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../platform/http/operation.decorator.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { MeDto, MyTableDto } from './dto/me.dto.js';
import { MeService } from './me.service.js';
import { poolsErrors } from './pools.errors.js';

@ApiTags('me')
@ApiBearerAuth('session')
@Controller('me')
export class MeController {
  constructor(private readonly service: MeService) {}

  @Operates('account')
  @Get()
  @Operation({
    summary: 'The caller, their pool this week and their credits',
    answer: MeDto,
    errors: [poolsErrors.WEEK_NOT_FOUND],
  })
  async me(@CurrentSubject() subject: Subject): Promise<MeDto> {
    return await this.service.me(subject);
  }

  @Get('pool')
  @Operation({
    summary: "The caller's place in their pool's table",
    answer: MyTableDto,
    errors: [poolsErrors.NOT_A_MEMBER],
  })
  async myTable(@CurrentSubject() subject: Subject): Promise<MyTableDto> {
    return await this.service.myTable(subject);
  }
}
