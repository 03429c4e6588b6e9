import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { MarketKind, MarketState, SuspendedBy } from '../domain/markets.js';

@Entity('markets')
export class Market {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'game_id' })
  gameId: string;

  @Column('text')
  kind: MarketKind;

  /** Exact decimal: the handicap given to the home side, or the total; null for a moneyline. */
  @Column('numeric', { precision: 6, scale: 2, nullable: true })
  line: string | null;

  @Column('text', { default: 'open' })
  status: MarketState;

  /** Why no bets are taken while suspended: an import takes up again only what it has suspended itself. */
  @Column('text', { name: 'suspended_by', nullable: true })
  suspendedBy: SuspendedBy | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'clock_timestamp()' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'clock_timestamp()' })
  updatedAt: Date;
}
