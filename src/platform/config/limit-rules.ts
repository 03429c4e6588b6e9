import { IsInt, IsObject, Max, Min } from 'class-validator';
import { LimitMaxima, type Maxima } from './jurisdiction-rules.js';

/** `limits` of `config/compliance.yml`: limits of deposits, stakes and losses that hold everywhere. */
export class LimitRules {
  /** Hours within which a limit that was to be raised or removed is confirmed, once it may be; then the request lapses. */
  @IsInt()
  @Min(1)
  @Max(8760)
  confirmHours: number;

  /** The operator's own, which nobody's limits go beyond. */
  @IsObject()
  @LimitMaxima()
  maximum: Maxima;
}
