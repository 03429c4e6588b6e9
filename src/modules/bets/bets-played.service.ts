import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  type DayBounds,
  type HarmFacts,
  HarmFactsPort,
  type HarmMeasures,
  type SomeFacts,
  type Watched,
} from '../compliance/markers/harm-facts.port.js';
import { SessionPlayPort } from '../compliance/reality-checks/session-play.port.js';
import { WeeksService } from '../pools/weeks.service.js';
import { BetsPlayedRepository } from './bets-played.repository.js';

const WEEK_MS = 7 * 86_400_000;

/** Tells those who look after people what was staked and won. */
@Injectable()
export class BetsPlayedService implements HarmFacts, OnModuleInit {
  constructor(
    private readonly repository: BetsPlayedRepository,
    private readonly sessionPlay: SessionPlayPort,
    private readonly harm: HarmFactsPort,
    private readonly weeks: WeeksService,
  ) {}

  onModuleInit(): void {
    this.harm.register(this);
    this.sessionPlay.registerCredits(async (userId, since) => {
      // Bets of the week before count as well: they may be paid out now.
      const firstWeek = this.weeks.idAt(new Date(since.getTime() - WEEK_MS));
      const { bets, staked, won } = await this.repository.since(userId, since, firstWeek);
      return { bets, staked: BigInt(staked), won: BigInt(won) };
    });
  }

  async activeOn(
    manager: EntityManager,
    day: DayBounds,
    after: string | null,
    limit: number,
  ): Promise<string[]> {
    return await this.repository.playersOn(manager, this.weeksOf(day), day, { after, limit });
  }

  async factsOf(
    manager: EntityManager,
    day: DayBounds,
    people: readonly Watched[],
    measures: HarmMeasures,
  ): Promise<Map<string, SomeFacts>> {
    const rows = await this.repository.dayOf(manager, people, this.weeksOf(day), day, measures);
    return new Map(
      rows.map((row) => [
        row.user_id,
        {
          bets: row.bets,
          nightBets: row.night_bets,
          staked: Number(row.staked),
          chasingBets: row.chasing_bets,
        },
      ]),
    );
  }

  /** The week or weeks of a day, and the one before: what was lost in it may be chased. */
  private weeksOf({ from, to }: DayBounds): number[] {
    const instants = [from.getTime() - WEEK_MS, from.getTime(), to.getTime() - 1];
    return [...new Set(instants.map((at) => this.weeks.idAt(new Date(at))))];
  }
}
