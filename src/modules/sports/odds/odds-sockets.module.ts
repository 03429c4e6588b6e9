import { Module } from '@nestjs/common';
import { SportsModule } from '../sports.module.js';
import { OddsBook } from './odds-book.js';
import { OddsBroadcast } from './odds-broadcast.js';
import { OddsGateway } from './odds.gateway.js';
import { OddsSubscriptionsService } from './odds-subscriptions.service.js';

/** The namespace `/odds`, in the API process. */
@Module({
  imports: [SportsModule],
  providers: [OddsBook, OddsBroadcast, OddsSubscriptionsService, OddsGateway],
})
export class OddsSocketsModule {}
