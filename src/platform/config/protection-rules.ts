import { Type } from 'class-transformer';
import { IsIn, IsInt, Max, Min, ValidateNested } from 'class-validator';
import { ROLES, type Role } from '../security/subject.js';

/** `argon2` in `config/auth.yml`: what hashing a password costs. */
export class Argon2Rules {
  /** KiB. */
  @IsInt()
  @Min(19_456)
  memoryCost: number;

  @IsInt()
  @Min(1)
  timeCost: number;

  @IsInt()
  @Min(1)
  parallelism: number;
}

/** How many wrong attempts, and how fast they are forgotten. */
export class AllowanceRules {
  /** Wrong attempts that lock. */
  @IsInt()
  @Min(1)
  @Max(10_000)
  attempts: number;

  /** Seconds after which one wrong attempt is forgotten. */
  @IsInt()
  @Min(1)
  forgetSeconds: number;
}

/** Answers that an address is taken, each of which tells who has an account. */
export class TakenAddressesRules {
  /** To one address (IPv6: one /64). */
  @ValidateNested()
  @Type(() => AllowanceRules)
  address: AllowanceRules;

  /** To one neighbourhood (IPv4: a /24, IPv6: a /48). */
  @ValidateNested()
  @Type(() => AllowanceRules)
  neighbourhood: AllowanceRules;
}

/** `lockout` in `config/auth.yml`: how wrong passwords and codes make whoever tries them wait. */
export class LockoutRules {
  /** Seconds of the first wait; each further wrong attempt doubles it. */
  @IsInt()
  @Min(1)
  firstSeconds: number;

  /** Seconds of the longest wait. */
  @IsInt()
  @Min(1)
  maxSeconds: number;

  /** Against one account: of each device it knows, and of all that it does not know together. */
  @ValidateNested()
  @Type(() => AllowanceRules)
  account: AllowanceRules;

  /** From one address (IPv6: one /64) against whatever accounts, by devices that these do not know. */
  @ValidateNested()
  @Type(() => AllowanceRules)
  address: AllowanceRules;

  /** From one neighbourhood (IPv4: a /24, IPv6: a /48), likewise. */
  @ValidateNested()
  @Type(() => AllowanceRules)
  neighbourhood: AllowanceRules;

  /** Beyond these whoever registers waits like who guesses. */
  @ValidateNested()
  @Type(() => TakenAddressesRules)
  takenAddresses: TakenAddressesRules;

  /** Days since its last sign-in for which an account knows a device. */
  @IsInt()
  @Min(1)
  knownDeviceDays: number;

  /** Wrong attempts against an account after which sign-in asks for a CAPTCHA, where CAPTCHA_PROVIDER is set. */
  @IsInt()
  @Min(1)
  captchaAfter: number;
}

/** `secondFactor` in `config/auth.yml`. */
export class SecondFactorRules {
  /** Roles that may do nothing which asks for a permission in a session without a second factor. */
  @IsIn(ROLES, { each: true })
  requiredRoles: Role[];

  /** Seconds in which the question for the second factor must be answered. */
  @IsInt()
  @Min(30)
  challengeSeconds: number;

  /** Answers that one question takes. */
  @IsInt()
  @Min(1)
  challengeTries: number;
}
