import { randomUUID } from 'node:crypto';
import type { PlacedBetDto } from '../../src/modules/bets/dto/place-bet.dto.js';
import type { MeDto } from '../../src/modules/pools/dto/me.dto.js';
import type { GameDto } from '../../src/modules/sports/dto/games.dto.js';
import type { Answer } from '../launch/http-client.js';
import { inParallel } from './meter.js';
import { betBody } from './mischief.js';
import { choose, chooseSlip, type Option, optionsOf, type Player, stakeOf } from './players.js';
import { CONCURRENCY, count } from './sign-up.js';
import type { Stage } from './stage.js';

const MOST_LIKELY = 0.9;
/** How often a thumb hits the button twice. */
const DOUBLE_TAP = 0.03;
/** How often somebody who stakes all they have tries to do it on two phones at once. */
const TWO_PHONES = 0.25;

/** One of the times in the week at which people open the app and bet. */
export async function sitDown(
  stage: Stage,
  players: readonly Player[],
  when: { slatePath: string; sittings: number },
): Promise<void> {
  const { screen, clock, records } = stage;
  const takePart = players.filter(({ temperament, chance }) => {
    const perSitting = (1 + temperament.sitting) / 2;
    return chance.happens(Math.min(MOST_LIKELY, temperament.appetite / (when.sittings * perSitting)));
  });
  await inParallel(takePart, CONCURRENCY, async (player) => {
    await play(stage, player, when.slatePath);
    screen.update(`${clock.text()}  ${count(records.bets.size)} bets`);
  });
  screen.update('');
}

async function play(stage: Stage, player: Player, slatePath: string): Promise<void> {
  const { client, temperament, chance } = player;
  const { pool } = await client.ask<MeDto>('GET', 'me');
  let credits = pool?.credits ?? 0;
  if (credits === 0) return;
  const options = optionsOf(await client.ask<GameDto[]>('GET', slatePath));
  for (let left = chance.between(1, temperament.sitting); left > 0 && options.length > 0; left -= 1) {
    const stake = stakeOf(player, credits, stage.rules.maxStake);
    if (stake < 1) return;
    const slip = chooseSlip(player, options);
    const all = stake === credits && chance.happens(TWO_PHONES);
    credits = all
      ? await betOnTwoPhones(stage, player, [slip, [choose(player, options)]], credits)
      : await placeBet(stage, player, slip, stake, credits);
  }
}

/** Places a bet; returns the credits that are left. A refusal is a fault: an ordinary bet is within the rules. */
async function placeBet(
  stage: Stage,
  player: Player,
  slip: readonly Option[],
  stake: number,
  credits: number,
): Promise<number> {
  const { records } = stage;
  const { client, chance } = player;
  const request = { body: betBody(slip, stake), key: randomUUID() };
  const send = (): Promise<Answer<PlacedBetDto>> => client.call<PlacedBetDto>('POST', 'bets', request);
  const answers = await Promise.all(chance.happens(DOUBLE_TAP) ? [send(), send()] : [send()]);
  const [first, second] = answers;
  if (!first?.ok) {
    if (first) records.refusal(first.refusal);
    records.faults.push(`an ordinary bet of ${stake} was refused: ${first?.refusal.code}`);
    return credits;
  }
  records.bet(client.userId, slip, stake, first.data);
  if (second !== undefined) {
    const same = second.ok && second.data.betId === first.data.betId && first.replayed !== second.replayed;
    if (same) records.replays += 1;
    else records.faults.push(`a bet sent twice with one key: ${JSON.stringify(answers)}`);
  }
  if (first.data.remainingCredits !== credits - stake)
    records.faults.push(`${credits} less ${stake} left ${first.data.remainingCredits}`);
  return first.data.remainingCredits;
}

/** Stakes the whole balance twice at the same moment: one of the two bets stands. */
async function betOnTwoPhones(
  { records, rules }: Stage,
  { client }: Player,
  slips: readonly (readonly Option[])[],
  credits: number,
): Promise<number> {
  const stake = Math.min(credits, rules.maxStake);
  const answers = await Promise.all(
    slips.map((slip) =>
      client.call<PlacedBetDto>('POST', 'bets', { body: betBody(slip, stake), key: randomUUID() }),
    ),
  );
  let accepted = 0;
  for (const [index, answer] of answers.entries()) {
    const slip = slips[index];
    if (answer.ok && slip) {
      accepted += 1;
      records.bet(client.userId, slip, stake, answer.data);
    } else records.expectRefusal('INSUFFICIENT_CREDITS', 'all credits staked twice at once', answer);
  }
  if (accepted !== 1) records.faults.push(`of two bets of all credits at once ${accepted} were accepted`);
  return 0;
}
