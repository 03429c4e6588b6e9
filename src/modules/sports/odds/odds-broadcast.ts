import { Injectable } from '@nestjs/common';
import { Rules } from '../../../platform/config/rules.js';
import type { UserNamespace, UserSocket } from '../../../platform/realtime/sockets.service.js';
import { type GameBook, messagesOf } from './domain/game-book.js';
import { type BookReaders, OddsBook } from './odds-book.js';
import type { OddsEvent } from './odds.sockets.js';

type OddsSocket = UserSocket<OddsEvent>;

/** The room of sockets whose network does not keep up. */
const SLOW = 'slow';

/** Stands for the number of a game that a socket is to be told whole. */
const NOTHING = -1;

const roomOf = ({ id }: GameBook): string => `game:${id}`;
const groupsOf = ({ sport, league }: GameBook): string[] => [`sport:${sport}`, `league:${league}`];

/** The rooms in which a game is told: beyond the horizon nobody has been told of it who did not name it. */
export function roomsOf(game: GameBook): string[] {
  return game.near ? [roomOf(game), ...groupsOf(game)] : [roomOf(game)];
}

/** Rooms are this process's own: they are entered and left when this is called, and the promise is of other adapters. */
function atOnce(entered: Promise<void> | void): void {
  entered?.catch(() => undefined);
}

/**
 * Tells the sockets of this process what changes. At once when there is little to do; of a process that is busy a quarter of the time
 * is left to everything else, and what changes while it tells or rests is told as one message a game, its last state.
 *
 * A socket that has not taken what it was sent last is told nothing until it has: of each game only the number is kept up to
 * which it knows it, if it does. Then it is told what has changed since, of each price and market the last state. So what waits for it is
 * bounded by what it follows, however long it takes.
 */
@Injectable()
export class OddsBroadcast implements BookReaders {
  private readonly waiting = new Set<GameBook>();
  private readonly slow = new Map<OddsSocket, Map<string, number>>();
  private namespace: UserNamespace<OddsEvent> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private endedAt = 0;
  private restsUntil = 0;

  constructor(
    private readonly book: OddsBook,
    private readonly rules: Rules,
  ) {}

  start(namespace: UserNamespace<OddsEvent>): void {
    this.namespace = namespace;
    this.book.start(this);
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    await this.book.stop();
  }

  changed(game: GameBook): void {
    this.waiting.add(game);
    if (this.timer !== undefined || this.immediate !== undefined) return;
    const rest = this.restsUntil - performance.now();
    if (rest > 0) this.timer = setTimeout(() => this.flush(), rest);
    else this.immediate = setImmediate(() => this.flush());
  }

  appeared(game: GameBook): void {
    for (const [{ rooms }, behind] of this.slow)
      if (!rooms.has(roomOf(game)) && groupsOf(game).some((room) => rooms.has(room)))
        behind.set(game.id, NOTHING);
    // Who has named it knows it.
    const sockets = this.namespace?.local.to(groupsOf(game)).except([SLOW, roomOf(game)]);
    sockets?.emit('odds:snapshot', game.snapshot());
  }

  follows(game: GameBook): boolean {
    return roomsOf(game).some((room) => this.namespace?.adapter.rooms.has(room));
  }

  groups(): { sports: string[]; leagues: string[] } {
    const rooms = [...(this.namespace?.adapter.rooms.keys() ?? [])];
    const named = (prefix: string) =>
      rooms.filter((room) => room.startsWith(prefix)).map((room) => room.slice(prefix.length));
    return { sports: named('sport:'), leagues: named('league:') };
  }

  /** Tells what has changed, now. */
  flush(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = this.immediate = undefined;
    if (this.waiting.size === 0) return;
    const [began, used] = [performance.now(), process.threadCpuUsage()];
    this.findSlow();
    for (const game of this.waiting) this.tell(game);
    this.waiting.clear();
    const { user, system } = process.threadCpuUsage(used);
    this.rest(began, performance.now(), (user + system) / 1000);
  }

  /**
   * When telling takes more than three quarters of the time, what changes is gathered for a while. Its own time counts: while other
   * processes, or a collection of garbage, had the processor, nothing was told, and a rest for that too would make it later still.
   */
  private rest(began: number, ended: number, usedMs: number): void {
    const third = usedMs / 3;
    const busy = began - this.endedAt < third;
    this.endedAt = ended;
    this.restsUntil = busy ? ended + Math.min(third, this.rules.realtime.odds.coalesceMs) : ended;
  }

  /** A socket was told these games in an answer, as they are. */
  answered(socket: OddsSocket, gameIds: Iterable<string>): void {
    const behind = this.slow.get(socket);
    if (behind) for (const id of gameIds) behind.delete(id);
  }

  private tell(game: GameBook): void {
    const delta = game.tell();
    if (delta === null || !this.namespace) return;
    const rooms = roomsOf(game);
    for (const [socket, behind] of this.slow)
      if (!behind.has(game.id) && rooms.some((room) => socket.rooms.has(room)))
        behind.set(game.id, delta.from);
    const sockets = this.namespace.local.to(rooms).except(SLOW);
    for (const { event, payload } of messagesOf(delta)) sockets.emit(event, payload);
  }

  /** What was sent in the last turn has left the process by now, unless the network does not take it. */
  private findSlow(): void {
    for (const socket of this.namespace?.sockets.values() ?? []) {
      if (socket.conn.transport.writable || this.slow.has(socket)) continue;
      this.slow.set(socket, new Map());
      atOnce(socket.join(SLOW));
      socket.conn.transport.once('ready', () => this.goOn(socket));
      socket.once('disconnect', () => this.slow.delete(socket));
    }
  }

  private goOn(socket: OddsSocket): void {
    if (!socket.connected) return;
    if (!socket.conn.transport.writable) {
      // Something else was waiting behind what it has taken now.
      socket.conn.transport.once('ready', () => this.goOn(socket));
      return;
    }
    // Afterwards everybody has been told everything, and this socket is to be taken to where they are.
    this.flush();
    const behind = this.slow.get(socket) ?? new Map<string, number>();
    this.slow.delete(socket);
    atOnce(socket.leave(SLOW));
    for (const [id, from] of behind) {
      const game = this.book.get(id);
      if (!game || !roomsOf(game).some((room) => socket.rooms.has(room))) continue;
      if (from === NOTHING) socket.emit('odds:snapshot', game.snapshot());
      else for (const { event, payload } of messagesOf(game.since(from))) socket.emit(event, payload);
    }
  }
}
