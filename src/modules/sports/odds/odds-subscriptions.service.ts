import { Injectable } from '@nestjs/common';
import { Rules } from '../../../platform/config/rules.js';
import type { UserSocket } from '../../../platform/realtime/sockets.service.js';
import { sportsErrors } from '../sports.errors.js';
import type { GameBook, GameDelta, GameView } from './domain/game-book.js';
import { SubscribeDto, type UnsubscribeDto } from './dto/odds-sockets.dto.js';
import { OddsBook } from './odds-book.js';
import { OddsBroadcast, roomsOf } from './odds-broadcast.js';
import type { OddsEvent } from './odds.sockets.js';

const FOLLOWED = /^(game|sport|league):/;
const GROUP = /^(sport|league):/;

/** What a subscription answers: a game as it is, or what has changed since the client knew it. */
export interface SubscribedGames {
  readonly snapshots: readonly GameView[];
  readonly changes: readonly GameDelta[];
}

/** Which games a socket follows. */
@Injectable()
export class OddsSubscriptionsService {
  constructor(
    private readonly book: OddsBook,
    private readonly broadcast: OddsBroadcast,
    private readonly rules: Rules,
  ) {}

  /** Throws GAME_NOT_FOUND, TOO_MANY_GAMES; then nothing more is followed than before. */
  async subscribe(socket: UserSocket<OddsEvent>, body: SubscribeDto): Promise<SubscribedGames> {
    const { games = [], sport, league, after = {} } = body;
    const groups = {
      sports: sport === undefined ? [] : [sport],
      leagues: league === undefined ? [] : [league],
    };
    const grouped = groups.sports.length + groups.leagues.length > 0 ? await this.book.idsOf(groups) : [];
    const ids = [...new Set([...games, ...grouped])];
    this.requireRoom(ids.length);
    const known = new Map(Object.entries(after));
    const found = await this.book.open(ids, known);
    const missing = games.find((id) => !found.has(id));
    if (missing !== undefined) throw sportsErrors.GAME_NOT_FOUND({ gameId: missing });
    const asked = new Set(ids);
    this.requireRoom(ids.length + this.book.count((game) => !asked.has(game.id) && isIn(socket, game)));
    const groupRooms = [
      ...groups.sports.map((key) => `sport:${key}`),
      ...groups.leagues.map((name) => `league:${name}`),
    ];
    this.requireGroups(socket, groupRooms);
    // Nothing is waited for until it is in its rooms: between what is answered and what is told from then on there is nothing.
    this.broadcast.flush();
    const answer = answerOf([...found.values()], known);
    this.broadcast.answered(socket, asked);
    await socket.join([...games.map((id) => `game:${id}`), ...groupRooms]);
    return answer;
  }

  /** Without a body: from everything. */
  async unsubscribe(socket: UserSocket<OddsEvent>, { games, sport, league }: UnsubscribeDto): Promise<void> {
    const all = games === undefined && sport === undefined && league === undefined;
    const named = [
      ...(games ?? []).map((id) => `game:${id}`),
      ...(sport === undefined ? [] : [`sport:${sport}`]),
      ...(league === undefined ? [] : [`league:${league}`]),
    ];
    const rooms = all ? [...socket.rooms].filter((room) => FOLLOWED.test(room)) : named;
    for (const room of rooms) await socket.leave(room);
  }

  private requireRoom(games: number): void {
    const { gamesPerSocket: limit } = this.rules.realtime.odds;
    if (games > limit) throw sportsErrors.TOO_MANY_GAMES({ limit, games });
  }

  /** Any name may be a league's, also of one that has no games yet: they are counted, that they are no way to fill the memory. */
  private requireGroups(socket: UserSocket<OddsEvent>, added: readonly string[]): void {
    const { groupsPerSocket: limit } = this.rules.realtime.odds;
    const groups = new Set([...[...socket.rooms].filter((room) => GROUP.test(room)), ...added]).size;
    if (groups > limit) throw sportsErrors.TOO_MANY_GAMES({ limit, groups });
  }
}

function isIn(socket: UserSocket<OddsEvent>, game: GameBook): boolean {
  return roomsOf(game).some((room) => socket.rooms.has(room));
}

/** Who names a number that the game never had, or the one before its first change, is told all of it. */
function answerOf(games: readonly GameBook[], known: ReadonlyMap<string, number>): SubscribedGames {
  const goesOn = (game: GameBook) => {
    const number = known.get(game.id) ?? 0;
    return number >= 1 && number <= game.seq;
  };
  return {
    snapshots: games.filter((game) => !goesOn(game)).map((game) => game.snapshot()),
    changes: games.filter(goesOn).map((game) => game.since(known.get(game.id) ?? 0)),
  };
}
