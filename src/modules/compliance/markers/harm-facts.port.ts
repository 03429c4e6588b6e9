import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { DayFacts } from '../domain/harm-markers.js';

/** `[from, to)`, a day of UTC. */
export interface DayBounds {
  readonly from: Date;
  readonly to: Date;
}

export interface Watched {
  readonly userId: string;
  /** IANA: in which their nights are. */
  readonly zone: string;
}

/** What counts as night and as chasing. */
export interface HarmMeasures {
  readonly nightEndsAt: number;
  readonly chaseHours: number;
  readonly chasePercent: number;
}

export type SomeFacts = Partial<Omit<DayFacts, 'day'>>;

/** What one module knows of people's days. */
export interface HarmFacts {
  /** Ids behind `after`, in their order, of who did something on that day; at most `limit`, the first ones. */
  activeOn(manager: EntityManager, day: DayBounds, after: string | null, limit: number): Promise<string[]>;
  /** What these did; who did nothing is left out. */
  factsOf(
    manager: EntityManager,
    day: DayBounds,
    people: readonly Watched[],
    measures: HarmMeasures,
  ): Promise<Map<string, SomeFacts>>;
}

/** What people did is known by the modules above, which register here at boot. */
@Injectable()
export class HarmFactsPort {
  private readonly known: HarmFacts[] = [];

  register(facts: HarmFacts): void {
    this.known.push(facts);
  }

  get all(): readonly HarmFacts[] {
    return this.known;
  }
}
