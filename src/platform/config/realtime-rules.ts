import { IsInt, Max, Min } from 'class-validator';

/** `config/realtime.yml`: open sockets. */
export class RealtimeRules {
  /** Sockets that one session may have open in each namespace of a process; the next one is refused. */
  @IsInt()
  @Min(1)
  @Max(1000)
  socketsPerSession: number;
}
