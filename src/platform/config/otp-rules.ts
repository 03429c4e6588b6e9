import { IsInt, IsISO31661Alpha2, Max, Min } from 'class-validator';

/** `otp` of `config/auth.yml`: one-time codes by text message. */
export class OtpRules {
  /** Seconds a code works. At most an hour: for a day it is kept that it was sent. */
  @IsInt()
  @Min(60)
  @Max(3600)
  codeSeconds: number;

  /** Codes that are compared before the right one is refused as well. */
  @IsInt()
  @Min(1)
  @Max(10)
  tries: number;

  /** Codes sent to one number in any 60 minutes, whoever asks. */
  @IsInt()
  @Min(1)
  sendsPerHour: number;

  /** Messages in one hour to all numbers together, which bounds what an attack can cost; reached, none is sent till the next. */
  @IsInt()
  @Min(1)
  sendsPerHourInAll: number;

  /** Codes compared for one number in any 60 minutes, apart from those asked for on its owner's devices. */
  @IsInt()
  @Min(1)
  guessesPerHour: number;

  /** Countries whose numbers are sent codes; an empty list: all. */
  @IsISO31661Alpha2({ each: true })
  countries: string[];
}
