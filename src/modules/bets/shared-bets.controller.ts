import { Controller, Get, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Operation } from '../../platform/http/operation.decorator.js';
import { Public } from '../../platform/security/public.decorator.js';
import { betsErrors } from './bets.errors.js';
import { SharedBetDto, ShareParam } from './dto/shared-bets.dto.js';
import { SharingService } from './sharing.service.js';

@ApiTags('bets')
@Controller('shared-bets')
export class SharedBetsController {
  constructor(private readonly sharing: SharingService) {}

  @Public('what its user shows to whom they like')
  @Get(':code')
  @Operation({
    summary: 'A bet that its user has shared',
    answer: SharedBetDto,
    errors: [betsErrors.SHARE_NOT_FOUND],
  })
  async show(@Param() { code }: ShareParam): Promise<SharedBetDto> {
    return await this.sharing.show(code);
  }
}
