import type { MeDto } from '../../src/modules/pools/dto/me.dto.js';
import type { TableRowDto } from '../../src/modules/pools/dto/weeks.dto.js';
import { inParallel } from './meter.js';
import { buy, PAYING } from './paying.js';
import type { Player } from './players.js';
import { count } from './sign-up.js';
import type { Stage } from './stage.js';

/** How many of those who may come back do. */
const COME_BACK = 0.8;

/** Before Friday is over: players who have lost everything, by the tables, pay to come back. */
export async function buyBacks(
  stage: Stage,
  players: readonly Player[],
  tables: readonly TableRowDto[],
): Promise<void> {
  const { records, rules, screen, clock, meter } = stage;
  const out = new Set(
    tables.filter(({ credits, betsOpen }) => credits === 0 && betsOpen === 0).map(({ userId }) => userId),
  );
  const back = players.filter(
    ({ client, chance }) =>
      out.has(client.userId) && !records.boughtBack.has(client.userId) && chance.happens(COME_BACK),
  );
  await meter.time('buy-backs', () =>
    inParallel(back, PAYING, async (player) => {
      const { client, handle } = player;
      await buy(stage, player, 'buy_back');
      records.boughtBack.add(client.userId);
      const { pool } = await client.ask<MeDto>('GET', 'me');
      if (pool?.credits !== rules.buyBackCredits)
        records.faults.push(`${handle} has bought back and has ${pool?.credits} credits`);
    }),
  );
  if (back.length > 0)
    screen.line(`${clock.text()}  ${count(back.length)} of those who have lost everything buy back`);
}
