import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PrizeRules } from '../../../platform/config/rules.js';
import type { PoolFill } from '../domain/pool-plan.js';
import type { WeekState } from '../domain/week-machine.js';

@Entity('weeks')
export class Week {
  /** ISO week: 202514. */
  @PrimaryColumn('int')
  id: number;

  /** Shut when the week closes; bets being placed are inside. */
  @Column('uuid')
  gate: string;

  @Column('timestamptz', { name: 'starts_at' })
  startsAt: Date;

  @Column('timestamptz', { name: 'ends_at' })
  endsAt: Date;

  @Column('text', { default: 'open' })
  status: WeekState;

  @Column('int', { name: 'entries_count', nullable: true })
  entriesCount: number | null;

  @Column('text', { name: 'entries_hash', nullable: true })
  entriesHash: string | null;

  @Column('text', { name: 'seed_hash' })
  seedHash: string;

  /** Told only after the draw. */
  @Column('bytea')
  seed: Buffer;

  @Column('text', { nullable: true })
  fill: PoolFill | null;

  @Column('int', { name: 'max_size', nullable: true })
  maxSize: number | null;

  /** `config/prizes.yml` as it was at the draw: prizes that are awarded again go by it. */
  @Column('jsonb', { name: 'prize_rules', nullable: true })
  prizeRules: PrizeRules | null;

  /** Of a week that ended before its draw: the week that its passes count for. */
  @Column('int', { name: 'passes_moved_to', nullable: true })
  passesMovedTo: number | null;

  @Column('timestamptz', { name: 'grouped_at', nullable: true })
  groupedAt: Date | null;

  @Column('timestamptz', { name: 'closed_at', nullable: true })
  closedAt: Date | null;

  @Column('timestamptz', { name: 'settled_at', nullable: true })
  settledAt: Date | null;
}
