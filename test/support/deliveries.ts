import { SettlementService } from '../../src/modules/settlement/settlement.service.js';
import { WeekSettlementService } from '../../src/modules/settlement/week-settlement.service.js';
import type { System } from './system.js';

export interface Delivery {
  id: string;
  topic: string;
  payload: Record<string, unknown>;
}

/**
 * Delivers the settlement's events in place of a worker, one at a time and when the test wants it, so that an order, a
 * repetition or a delay is the test's choice.
 */
export class Deliveries {
  constructor(private readonly system: System) {}

  /** What waits in the outbox, oldest first. */
  async waiting(): Promise<Delivery[]> {
    const { rows } = await this.system.db.query<Delivery>(
      'SELECT id, topic, payload FROM outbox ORDER BY id',
    );
    return rows;
  }

  /** Hands an event to its consumer, as the settlement's queue does. */
  async hand({ topic, payload }: Delivery): Promise<void> {
    const { app } = this.system;
    switch (topic) {
      case 'sports.game-result-recorded':
        return await app.get(SettlementService).start(String(payload['gameId']), Number(payload['version']));
      case 'settlement.started':
        return await app.get(SettlementService).run(String(payload['settlementId']));
      case 'settlement.game-settled':
      case 'pools.week-closed':
        return await app.get(WeekSettlementService).settleIfReady(Number(payload['weekId']));
    }
  }

  /** Hands one event over and takes it out of the outbox. */
  async deliver(delivery: Delivery): Promise<void> {
    await this.hand(delivery);
    await this.system.db.query('DELETE FROM outbox WHERE id = $1', [delivery.id]);
  }

  /** Delivers until nothing waits any more. */
  async all(): Promise<void> {
    for (let left = await this.waiting(); left.length > 0; left = await this.waiting())
      for (const delivery of left) await this.deliver(delivery);
  }
}
