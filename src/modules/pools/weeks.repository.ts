import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import { Week } from './entities/week.entity.js';

@Injectable()
export class WeeksRepository {
  constructor(
    @InjectRepository(Week) private readonly weeks: Repository<Week>,
    private readonly database: Database,
  ) {}

  /** Weeks of which the user holds a pass, newest first. Index: primary key of week_passes. */
  async idsOfUser(userId: string): Promise<number[]> {
    const rows = await this.database.query<{ week_id: number }>(
      'weeks.of_user',
      'SELECT week_id FROM week_passes WHERE user_id = $1 ORDER BY week_id DESC',
      [userId],
    );
    return rows.map((row) => row.week_id);
  }

  /** The same, but for weeks that are settled. Index: primary keys of week_passes and weeks. */
  async unsettledIdsOfUser(userId: string): Promise<number[]> {
    const rows = await this.database.query<{ week_id: number }>(
      'weeks.unsettled_of_user',
      `SELECT p.week_id FROM week_passes p JOIN weeks w ON w.id = p.week_id
       WHERE p.user_id = $1 AND w.status <> 'settled' ORDER BY p.week_id DESC`,
      [userId],
    );
    return rows.map((row) => row.week_id);
  }

  /** Weeks from one to another, both included, and those that are not settled. */
  async idsBetween(manager: EntityManager, first: number, last: number): Promise<number[]> {
    const rows = await manager.query<{ id: number }[]>(
      "SELECT id FROM weeks WHERE id BETWEEN $1 AND $2 OR status <> 'settled' ORDER BY id",
      [first, last],
    );
    return rows.map((row) => row.id);
  }

  async find(id: number): Promise<Week | null> {
    return await this.weeks.findOneBy({ id });
  }

  /** True when this call made it; of several at once one does. */
  async insert(
    manager: EntityManager,
    week: Pick<Week, 'id' | 'gate' | 'startsAt' | 'endsAt' | 'seedHash' | 'seed'>,
  ) {
    const rows = await manager.query<unknown[]>(
      `INSERT INTO weeks (id, gate, starts_at, ends_at, seed_hash, seed) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [week.id, week.gate, week.startsAt, week.endsAt, week.seedHash, week.seed],
    );
    return rows.length > 0;
  }

  async lock(manager: EntityManager, id: number): Promise<Week | null> {
    return await manager.getRepository(Week).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async shutGate(manager: EntityManager, week: Week): Promise<void> {
    await manager.query('SELECT parley_gate_shut($1)', [week.gate]);
  }

  /** Moves a week that is in one of the states `from`. */
  async move(
    manager: EntityManager,
    id: number,
    from: readonly Week['status'][],
    change: Partial<Week>,
  ): Promise<boolean> {
    const result = await manager
      .createQueryBuilder()
      .update(Week)
      .set(change)
      .where('id = :id AND status IN (:...from)', { id, from })
      .execute();
    return result.affected === 1;
  }

  /** The earliest week that can be joined and starts later than that. */
  async findNextToJoin(manager: EntityManager, after: Date): Promise<Week | null> {
    const [row] = await manager.query<{ id: number }[]>(
      "SELECT id FROM weeks WHERE status = 'open' AND starts_at > $1 ORDER BY starts_at LIMIT 1",
      [after],
    );
    return row ? await manager.getRepository(Week).findOneBy({ id: row.id }) : null;
  }
}
