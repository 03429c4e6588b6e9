import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** Takes part in the transaction that opens a week. */
export type WeekOpening = (manager: EntityManager, weekId: number) => Promise<void>;

/** Where modules above register what a new week needs of them (its partition of the bets). Filled at boot. */
@Injectable()
export class WeekOpenedPort {
  private readonly participants: WeekOpening[] = [];

  register(participant: WeekOpening): void {
    this.participants.push(participant);
  }

  async open(manager: EntityManager, weekId: number): Promise<void> {
    for (const participant of this.participants) await participant(manager, weekId);
  }
}
