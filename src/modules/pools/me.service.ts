import { Injectable } from '@nestjs/common';
import { Rules } from '../../platform/config/rules.js';
import type { Subject } from '../../platform/security/subject.js';
import { UsersService } from '../users/users.service.js';
import { formatWeekId, nextWeekId } from './domain/calendar.js';
import type { MeDto, MyPoolDto, MyTableDto } from './dto/me.dto.js';
import { type MemberRow, MembersRepository } from './members.repository.js';
import { poolsErrors } from './pools.errors.js';
import { TablesService } from './tables.service.js';
import { WeeksService } from './weeks.service.js';

const TOP = 10;
const AROUND = 2;

/** What the app's first screen needs: who I am, my pool this week, my credits. */
@Injectable()
export class MeService {
  constructor(
    private readonly weeks: WeeksService,
    private readonly tables: TablesService,
    private readonly members: MembersRepository,
    private readonly users: UsersService,
    private readonly rules: Rules,
  ) {}

  async me({ userId }: Subject): Promise<MeDto> {
    const weekId = this.weeks.currentId();
    const [user, week, member, registered] = await Promise.all([
      this.users.get(userId),
      this.weeks.get(weekId),
      this.members.findMember(userId, weekId),
      this.members.hasPass(userId, nextWeekId(weekId)),
    ]);
    const { id, email, handle, displayName, role, termsVersion } = user;
    const termsAccepted = termsVersion === this.rules.auth.termsVersion;
    return {
      user: { id, email, handle, displayName, role, termsAccepted },
      week: this.weeks.toDto(week),
      pool: member && toDto(member),
      nextWeek: { id: formatWeekId(nextWeekId(weekId)), registered },
    };
  }

  /** The caller's place in the table of their pool. Throws NOT_A_MEMBER. */
  async myTable({ userId }: Subject): Promise<MyTableDto> {
    const weekId = this.weeks.currentId();
    const member = await this.members.findMember(userId, weekId);
    if (!member) throw poolsErrors.NOT_A_MEMBER({ week: formatWeekId(weekId) });
    const rows = await this.tables.table(weekId, member.pool_id);
    const index = rows.findIndex((row) => row.userId === userId);
    return {
      pool: toDto(member),
      rank: rows[index]?.rank ?? rows.length,
      top: rows.slice(0, TOP),
      around: rows.slice(Math.max(0, index - AROUND), index + AROUND + 1),
    };
  }
}

function toDto(row: MemberRow): MyPoolDto {
  return {
    id: row.pool_id,
    name: row.pool_name,
    size: row.pool_size,
    credits: Number(row.balance),
    debt: Number(row.debt),
    staked: Number(row.staked),
    paidOut: Number(row.paid_out),
    betsPlaced: row.bets_placed,
    betsOpen: row.bets_open,
  };
}
