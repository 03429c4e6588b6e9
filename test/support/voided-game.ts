import { SlateIntakeService } from '../../src/modules/sports/slate-intake.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import type { TestGame } from './builders.js';
import type { Answer, Client } from './client.js';
import { BEFORE, type PlayedWeek, START, startPlayedWeek, WEEK } from './played-week.js';
import { legOn } from './slips.js';

export const CANCELLED = { status: 'cancelled', reason: 'The stadium is flooded' };

/** So many hours after the official start. */
export const hours = (count: number): string => new Date(Date.parse(START) + count * 3_600_000).toISOString();

/** A game that a player has bets on and operators want voided; two of them where it has more than two bets. */
export class VoidedGame {
  game: TestGame;
  player: Client;

  private constructor(
    readonly week: PlayedWeek,
    readonly admins: readonly [Client, Client, Client],
  ) {}

  static async start(): Promise<VoidedGame> {
    const week = await startPlayedWeek({ settlement: { secondApprovalBets: 2, confirmAfterSeconds: 60 } });
    return new VoidedGame(week, [week.admin, await week.make.admin(), await week.make.admin()]);
  }

  /** Another player, and another game that has not begun. */
  async begin(startsAt = START): Promise<void> {
    await this.week.system.moveTo(BEFORE);
    this.player = await this.week.make.member(WEEK);
    this.game = await this.week.make.game({ startsAt });
  }

  /** One after the other on each of the game's three markets. */
  async stakes(count: number): Promise<void> {
    const markets = [this.game.moneyline, this.game.spread, this.game.total];
    for (let n = 0; n < count; n += 1) {
      const leg = legOn(markets[n % 3]!, Object.keys(markets[n % 3]!.odds)[0]!);
      const { status } = await this.player.bet({ ...leg, stake: 10 });
      if (status !== 201) throw new Error(`the bet was answered with ${status}`);
    }
  }

  /** Two more, on its moneyline. */
  async stakesOnMoneyline(): Promise<void> {
    for (let n = 0; n < 2; n += 1)
      await this.player.bet({ ...legOn(this.game.moneyline, 'home'), stake: 10 });
  }

  async say(who: Client, said: object): Promise<Answer> {
    return await who.post(`admin/games/${this.game.id}/result`, said);
  }

  async voidMarket(who: Client, { id }: { id: string }): Promise<Answer> {
    return await who.post(`admin/markets/${id}/void`, { reason: 'wrong price' });
  }

  async pending(): Promise<Answer['data'][]> {
    const { data } = await this.admins[0].get('admin/market-voids');
    return data.filter(({ gameId }: { gameId: string }) => gameId === this.game.id);
  }

  /** What became of the bets, once all is graded. */
  async bets(): Promise<string[]> {
    await this.week.deliveries.all();
    const { rows } = await this.week.system.db.query(
      "SELECT DISTINCT concat_ws(' ', status, reason) AS text FROM bets WHERE user_id = $1 ORDER BY 1",
      [this.player.userId],
    );
    return rows.map(({ text }) => text);
  }

  async audited(subjectId: string, action: string): Promise<object[]> {
    const { rows } = await this.week.system.db.query(
      'SELECT details FROM audit_log WHERE subject_id = $1 AND action = $2 ORDER BY id',
      [subjectId, action],
    );
    return rows.map(({ details }) => details);
  }

  /** The game's source tells another start of it. */
  async movedBySource(startsAt: string): Promise<void> {
    const { app, db } = this.week.system;
    const { rows } = await db.query('SELECT * FROM games WHERE id = $1', [this.game.id]);
    const { source, external_id, sport, league, season, home_team, away_team, neutral } = rows[0];
    const told = {
      source,
      externalId: external_id,
      sport,
      league,
      season,
      homeTeam: home_team,
      awayTeam: away_team,
      neutral,
      startsAt: new Date(startsAt),
      markets: [],
    };
    await app
      .get(UnitOfWork)
      .run(async (manager) => app.get(SlateIntakeService).take(manager, [told], new Set()));
  }
}
