import { Type } from 'class-transformer';
import { IsInt, Max, Min, ValidateNested } from 'class-validator';

/** Sockets that follow games. */
export class OddsSocketRules {
  /** Games that one socket may follow, those of its sports and leagues among them. */
  @IsInt()
  @Min(1)
  @Max(2000)
  gamesPerSocket: number;

  /** Sports and leagues that one socket may follow. */
  @IsInt()
  @Min(1)
  @Max(200)
  groupsPerSocket: number;

  /** Milliseconds for which what changes is gathered at most when a process is busy; one that is not tells at once. */
  @IsInt()
  @Min(0)
  @Max(1000)
  coalesceMs: number;

  /** Seconds after which a change is told whose message was lost. */
  @IsInt()
  @Min(1)
  @Max(60)
  pollSeconds: number;

  /** Games of a sport or a league that start within so many days are followed with it, and those of the last day. */
  @IsInt()
  @Min(1)
  @Max(60)
  horizonDays: number;
}

/** `config/realtime.yml`: open sockets. */
export class RealtimeRules {
  /** Sockets that one session may have open in each namespace of a process; the next one is refused. */
  @IsInt()
  @Min(1)
  @Max(1000)
  socketsPerSession: number;

  /** Messages that may wait for a socket that asks for more; with more of them it is dropped, for it does not read. */
  @IsInt()
  @Min(1)
  @Max(1000)
  unreadMessages: number;

  /** The same in characters of them. */
  @IsInt()
  @Min(100_000)
  @Max(100_000_000)
  unreadBytes: number;

  /** Asks of one socket that may be refused in a minute before it is dropped. */
  @IsInt()
  @Min(1)
  @Max(100_000)
  refusalsPerMinute: number;

  @ValidateNested()
  @Type(() => OddsSocketRules)
  odds: OddsSocketRules;
}
