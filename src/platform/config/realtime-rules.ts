import { Type } from 'class-transformer';
import { IsInt, Max, Min, ValidateNested } from 'class-validator';

/** Sockets that follow games. */
export class OddsSocketRules {
  /** Games that one socket may follow, those of its sports and leagues among them. */
  @IsInt()
  @Min(1)
  @Max(2000)
  gamesPerSocket: number;

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

  @ValidateNested()
  @Type(() => OddsSocketRules)
  odds: OddsSocketRules;
}
