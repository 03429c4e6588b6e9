import { Injectable, type OnModuleInit } from '@nestjs/common';
import { WeeksService } from '../pools/weeks.service.js';
import { SettledWeeksPort } from '../sports/settled-weeks.port.js';
import { SettlementRepository } from './settlement.repository.js';

/** Tells sports until when a feed may correct a result: until a week that it was settled in, or that it starts in, is settled. */
@Injectable()
export class SettledWeeksService implements OnModuleInit {
  constructor(
    private readonly port: SettledWeeksPort,
    private readonly repository: SettlementRepository,
    private readonly weeks: WeeksService,
  ) {}

  onModuleInit(): void {
    this.port.register(async (manager, { id, startsAt }) => {
      const weekIds = await this.repository.weeksOfGame(manager, id);
      return await this.repository.anySettled(manager, [...weekIds, this.weeks.idAt(startsAt)]);
    });
  }
}
