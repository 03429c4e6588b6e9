import { IsInt, Max, Min } from 'class-validator';

/** `mail` in `config/auth.yml`: the links that prove who reads an address. */
export class MailRules {
  /** Seconds for which a link that verifies an email holds. */
  @IsInt()
  @Min(60)
  @Max(7 * 86_400)
  verificationSeconds: number;

  /** Seconds for which a link that sets a new password holds. */
  @IsInt()
  @Min(60)
  @Max(86_400)
  resetSeconds: number;

  /** Links of one kind that an account is sent in an hour; whoever asks for more gets none. */
  @IsInt()
  @Min(1)
  linksPerHour: number;
}
