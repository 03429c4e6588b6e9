import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { GameState } from '../domain/markets.js';

@Entity('games')
export class Game {
  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  source: string;

  @Column('text', { name: 'external_id' })
  externalId: string;

  @Column('text')
  sport: string;

  @Column('text')
  league: string;

  @Column('text')
  season: string;

  @Column('text', { name: 'home_team' })
  homeTeam: string;

  @Column('text', { name: 'away_team' })
  awayTeam: string;

  @Column('boolean', { default: false })
  neutral: boolean;

  @Column('timestamptz', { name: 'starts_at' })
  startsAt: Date;

  /** The start as first announced: the grace of a postponed game runs from it. */
  @Column('timestamptz', { name: 'first_starts_at' })
  firstStartsAt: Date;

  /** The start as its source told it last: telling it again does not undo what an operator has said since. */
  @Column('timestamptz', { name: 'source_starts_at', nullable: true })
  sourceStartsAt: Date | null;

  @Column('text', { default: 'scheduled' })
  status: GameState;

  @Column('int', { name: 'home_score', nullable: true })
  homeScore: number | null;

  @Column('int', { name: 'away_score', nullable: true })
  awayScore: number | null;

  @Column('int', { name: 'minutes_played', nullable: true })
  minutesPlayed: number | null;

  /** Scores by period, home before away. */
  @Column('jsonb', { nullable: true })
  periods: [number, number][] | null;

  /** Winners by the key of a prop. */
  @Column('jsonb', { nullable: true })
  props: Record<string, string[]> | null;

  /** Since when the result may be graded; null while it is still to be confirmed. */
  @Column('timestamptz', { name: 'confirmed_at', nullable: true })
  confirmedAt: Date | null;

  /** When what a feed has said is confirmed, unless somebody says otherwise; null when nothing waits. */
  @Column('timestamptz', { name: 'confirm_due_at', nullable: true })
  confirmDueAt: Date | null;

  /** A person has said how it ended: no feed undoes that. */
  @Column('boolean', { name: 'told_by_person', default: false })
  toldByPerson: boolean;

  /** It was played in part before its start was moved: prices of before are no offer. */
  @Column('boolean', { default: false })
  interrupted: boolean;

  /** Counts the results that may be graded; each is settled once. */
  @Column('int', { name: 'result_version', default: 0 })
  resultVersion: number;

  @Column('timestamptz', { name: 'updated_at', default: () => 'clock_timestamp()' })
  updatedAt: Date;
}
