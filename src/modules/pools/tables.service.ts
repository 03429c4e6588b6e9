import { Injectable } from '@nestjs/common';
import { Listed, RenderedList } from '../../platform/http/answers.js';
import { DEFAULT_LIMIT, type PageQuery } from '../../platform/http/pagination.js';
import { SharedReads } from '../../platform/http/shared-reads.js';
import { UsersService } from '../users/users.service.js';
import type { MemberDto, PoolParam, PoolSummaryDto, TableRowDto } from './dto/weeks.dto.js';
import { MembersRepository, type TableRow } from './members.repository.js';
import { poolsErrors } from './pools.errors.js';
import { readWeekId, WeeksService } from './weeks.service.js';

/** The tables of the pools: live while the week is played, as settled afterwards. */
@Injectable()
export class TablesService {
  private readonly recent = new SharedReads<TableRowDto[]>({ maxAgeMs: 1000, max: 2000 });
  /** Pages of a table that is still shared, each rendered once. */
  private readonly pages = new WeakMap<TableRowDto[], Map<string, RenderedList<TableRowDto>>>();

  constructor(
    private readonly weeks: WeeksService,
    private readonly repository: MembersRepository,
    private readonly users: UsersService,
  ) {}

  async pools(weekText: string): Promise<PoolSummaryDto[]> {
    const week = await this.weeks.get(this.weekIdOf(weekText));
    const pools = await this.repository.poolsOf(week.id);
    return pools.map(({ id, name, size }) => ({ id, name, size }));
  }

  async leaderboard({ id, poolId }: PoolParam, query: PageQuery): Promise<RenderedList<TableRowDto>> {
    const rows = await this.table(this.weekIdOf(id), poolId);
    const key = `${query.page}:${query.limit}`;
    const pages = this.pagesOf(rows);
    const known = pages.get(key) ?? new RenderedList(page(rows, query));
    pages.set(key, known);
    return known;
  }

  /** A pool's whole table, at most a second old. */
  async table(weekId: number, poolId: string): Promise<TableRowDto[]> {
    return await this.recent.getOrRead(`${weekId}:${poolId}`, () => this.readTable(weekId, poolId));
  }

  async members({ id, poolId }: PoolParam, query: PageQuery): Promise<Listed<MemberDto>> {
    const weekId = this.weekIdOf(id);
    if (!(await this.repository.findPool(poolId, weekId))) throw poolsErrors.POOL_NOT_FOUND({ poolId });
    const rows = (await this.repository.liveTable(poolId)).toSorted(
      (a, b) => a.draw_position - b.draw_position,
    );
    const handles = await this.users.handlesOf(rows.map((row) => row.user_id));
    const members = rows.map((row) => ({
      userId: row.user_id,
      handle: handles.get(row.user_id) ?? '',
      drawPosition: row.draw_position,
    }));
    return page(members, query);
  }

  private pagesOf(table: TableRowDto[]): Map<string, RenderedList<TableRowDto>> {
    let pages = this.pages.get(table);
    if (pages === undefined) this.pages.set(table, (pages = new Map<string, RenderedList<TableRowDto>>()));
    return pages;
  }

  private async readTable(weekId: number, poolId: string): Promise<TableRowDto[]> {
    const [week, pool] = await Promise.all([
      this.weeks.get(weekId),
      this.repository.findPool(poolId, weekId),
    ]);
    if (!pool) throw poolsErrors.POOL_NOT_FOUND({ poolId });
    const settled = week.status === 'settled';
    const rows = settled
      ? await this.repository.settledTable(poolId)
      : await this.repository.liveTable(poolId);
    const handles = await this.users.handlesOf(rows.map((row) => row.user_id));
    return rows.map((row) => toDto(row, handles));
  }

  private weekIdOf(text: string): number {
    return text === 'current' ? this.weeks.currentId() : readWeekId(text);
  }
}

function page<T>(rows: T[], query: PageQuery): Listed<T> {
  const [number, limit] = [query.page ?? 1, query.limit ?? DEFAULT_LIMIT];
  return new Listed(rows.slice((number - 1) * limit, number * limit), {
    page: number,
    limit,
    total: rows.length,
  });
}

function toDto(row: TableRow, handles: Map<string, string>): TableRowDto {
  return {
    rank: Number(row.rank),
    userId: row.user_id,
    handle: handles.get(row.user_id) ?? '',
    credits: Number(row.credits),
    staked: Number(row.staked),
    paidOut: Number(row.paid_out),
    betsPlaced: row.bets_placed,
    betsOpen: row.bets_open,
  };
}
