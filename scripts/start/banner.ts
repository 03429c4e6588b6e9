import type { MeDto } from '../../src/modules/pools/dto/me.dto.js';
import type { GameDto } from '../../src/modules/sports/dto/games.dto.js';
import { HttpClient } from '../launch/http-client.js';
import { readSeasons, type Score } from '../launch/season.js';
import { ACCOUNTS } from './accounts.js';

const HOUR_MS = 3_600_000;
/** When a game that begins now is over for certain. */
const GAME_HOURS = 4;

export interface BannerFacts {
  readonly port: number;
  readonly workerPort: number;
  readonly password: string;
  readonly zone: string;
  readonly logs: string;
}

/** What is told when everything runs: where, who, and five things to try, each a command that works as it stands. */
export async function banner(facts: BannerFacts): Promise<string> {
  const { port, workerPort, password, logs } = facts;
  const origin = `http://127.0.0.1:${port}`;
  const ada = new HttpClient(`${origin}/api/v1`);
  const signedIn = await ada.signIn(ACCOUNTS.ada.email, password);
  const head = `
  Parley serves   ${origin}/docs
  its worker      http://127.0.0.1:${workerPort}/metrics
  logs            ${logs}
`;
  if (!signedIn.ok)
    return `${head}
  The database holds data of its own, without the demo's accounts (${signedIn.refusal.code}).
  An admin is made with: ADMIN_PASSWORD=… node dist/src/cli/create-admin.js --email you@example.com
`;
  const accounts = Object.values(ACCOUNTS).map(({ email }) => `    ${email.padEnd(20)}${password}`);
  return `${head}
  Accounts, with their password
${accounts.join('\n')}
${await thingsToTry(ada, origin, facts)}`;
}

async function thingsToTry(
  ada: HttpClient,
  origin: string,
  { password, zone }: BannerFacts,
): Promise<string> {
  const { now } = await ada.ask<{ now: string }>('GET', 'clock');
  const { week, pool } = await ada.ask<MeDto>('GET', 'me');
  const slate = await slateOf(ada, now, week.endsAt);
  const game = slate.find((one) => one.status === 'scheduled' && !isReplayed(one));
  const score = game && scoreOf(game, zone);
  const bet = game && score && winningBet(game, score);
  const clock = new Date(now).toLocaleString('en-GB', {
    timeZone: zone,
    dateStyle: 'full',
    timeStyle: 'short',
  });
  const standing = `\n  The clock is a movable one and stands at ${clock} in New York.${liveGames(slate, zone)}`;
  if (!pool || !game || !score || !bet)
    return `${standing}
  Week ${week.id} has no game left that ada could bet on. To begin again from its Monday: npm start -- --fresh
`;

  const over = new Date(Date.parse(game.startsAt) + GAME_HOURS * HOUR_MS).toISOString();
  const team = bet.outcome === 'home' ? game.homeTeam : game.awayTeam;
  const odds = bet.american === null ? bet.decimal : `${bet.american > 0 ? '+' : ''}${bet.american}`;
  const body = { marketId: bet.marketId, outcome: bet.outcome, oddsId: bet.oddsId, stake: 50 };
  const result = { status: 'final', homeScore: score.home, awayScore: score.away };
  return `${standing} Five things to try, in this order:

  # 1. Sign in as ada, and keep her token
API=${origin}/api/v1
JSON='Content-Type: application/json'
signin() { curl -s $API/auth/login -H "$JSON" -d '{"email":"'$1'@example.com","password":"${password}"}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/'; }
ADA=$(signin ada)

  # 2. The games of week ${week.id}, with their markets and prices
curl -sw '\\n' "$API/games?from=${week.startsAt}&to=${week.endsAt}" -H "Authorization: Bearer $ADA"

  # 3. Stake 50 of her ${pool.credits} credits on ${team} in ${game.awayTeam} at ${game.homeTeam}, ${odds}. Sent twice it is one bet
curl -sw '\\n' $API/bets -H "Authorization: Bearer $ADA" -H "$JSON" -H 'Idempotency-Key: ${game.externalId}' -d '${JSON.stringify(body)}'

  # 4. Her credits, and her place in the table of pool ${pool.name}
curl -sw '\\n' $API/me/pool -H "Authorization: Bearer $ADA"

  # 5. As admin move the clock past the game and post its result, then see the bet settled
curl -sw '\\n' $API/admin/clock -H "Authorization: Bearer $(signin admin)" -H "$JSON" -d '{"now":"${over}"}'
curl -sw '\\n' $API/admin/games/${game.id}/result -H "Authorization: Bearer $(signin admin)" -H "$JSON" -d '${JSON.stringify(result)}'
sleep 2; curl -sw '\\n' "$API/bets?limit=1" -H "Authorization: Bearer $(signin ada)"

  A whole week with 230 players: npm run demo. Ctrl-C stops everything.
`;
}

/** The games that begin from now on. Those that are replayed may fill a page by themselves. */
async function slateOf(ada: HttpClient, from: string, to: string): Promise<GameDto[]> {
  const games: GameDto[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const after: string = cursor && `&cursor=${cursor}`;
    const answer = await ada.call<GameDto[]>('GET', `games?from=${from}&to=${to}&limit=100${after}`);
    if (!answer.ok) break;
    games.push(...answer.data);
    cursor = answer.nextCursor;
  }
  return games;
}

function isReplayed({ externalId }: GameDto): boolean {
  return externalId.startsWith('replay-');
}

/** What there is to bet on just now. */
function liveGames(slate: readonly GameDto[], zone: string): string {
  const next = slate.find((game) => isReplayed(game) && game.status === 'scheduled');
  if (next === undefined) return '';
  const at = new Date(next.startsAt).toLocaleTimeString('en-GB', { timeZone: zone, timeStyle: 'short' });
  return `
  A past season is replayed besides, day and night: prices move, scores come in, results are settled by themselves.
  The next game is ${next.awayTeam} at ${next.homeTeam}, ${at}.`;
}

/** How the game ended, by the season file it was imported from. */
function scoreOf({ externalId }: GameDto, zone: string): Score | undefined {
  return readSeasons(zone)
    .find(({ scores }) => scores.has(externalId))
    ?.scores.get(externalId);
}

/** A bet on the winner, so that what is seen at the end is a payout. */
function winningBet(game: GameDto, { home, away }: Score) {
  const market = game.markets.find(({ kind, status }) => kind === 'moneyline' && status === 'open');
  const price = market?.prices.find(({ outcome }) => outcome === (home > away ? 'home' : 'away'));
  if (!market || !price) return undefined;
  const { outcome, oddsId, american, decimal } = price;
  return { marketId: market.id, outcome, oddsId, american, decimal };
}
