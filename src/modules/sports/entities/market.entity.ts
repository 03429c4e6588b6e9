import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { MarketKind, MarketState, NamedOutcome, SuspendedBy } from '../domain/markets.js';

@Entity('markets')
export class Market {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'game_id' })
  gameId: string;

  @Column('text')
  kind: MarketKind;

  /** Exact decimal: the handicap given to the home side, or the total; null where there is none. */
  @Column('numeric', { precision: 6, scale: 2, nullable: true })
  line: string | null;

  /** The field of the result that decides a prop. */
  @Column('text', { nullable: true })
  prop: string | null;

  @Column('text', { nullable: true })
  title: string | null;

  /** What can be bet on in a prop; null for markets that are decided by the score. */
  @Column('jsonb', { nullable: true })
  outcomes: NamedOutcome[] | null;

  /** Winners that are expected: more of them share their win as a dead heat. */
  @Column('smallint', { default: 1 })
  places: number;

  /** Credits that one user may have staked on it at most, by an operator's word. */
  @Column('bigint', { name: 'max_stake', nullable: true })
  maxStake: string | null;

  @Column('text', { default: 'open' })
  status: MarketState;

  /** Why no bets are taken while suspended: an import takes up again only what it has suspended itself. */
  @Column('text', { name: 'suspended_by', nullable: true })
  suspendedBy: SuspendedBy | null;

  /** Whether a feed offers it: it is suspended when its feed falls silent. */
  @Column('boolean', { name: 'of_feed', default: false })
  ofFeed: boolean;

  /** The number among its game's changes at which it changed last; the database sets it. */
  @Column('bigint', { default: 0 })
  seq: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'clock_timestamp()' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'clock_timestamp()' })
  updatedAt: Date;
}
