import { IsIn, IsInt, Max, Min } from 'class-validator';

/** `idle` of `config/auth.yml`: sessions that nobody uses. */
export class IdleRules {
  /** Seconds without activity after which a session is idle. A user may have less. */
  @IsInt()
  @Min(60)
  seconds: number;

  /** `reauthenticate`: it may only read until the user proves themselves again. `end`: it ends. */
  @IsIn(['reauthenticate', 'end'])
  policy: 'reauthenticate' | 'end';
}

/** `dpop` of `config/auth.yml`: proofs of possession (RFC 9449). */
export class DpopRules {
  /** Seconds that a proof's time may differ from ours. */
  @IsInt()
  @Min(5)
  @Max(600)
  proofSeconds: number;

  /** Seconds within which a session bound to a key may ask again for the answer to a refresh. */
  @IsInt()
  @Min(0)
  @Max(60)
  refreshReplaySeconds: number;
}
