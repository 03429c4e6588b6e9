import { IsIn, IsOptional, Matches, MinLength } from 'class-validator';
import { OAuthConfig } from './oauth-config.js';

/** The variables of the sandbox, the payment provider that is served by the API itself. */
export class SandboxConfig extends OAuthConfig {
  /** `on` or `off`. Empty: on, but in production off. */
  @IsOptional()
  @IsIn(['on', 'off'])
  PAYMENTS_SANDBOX?: 'on' | 'off';

  /** Origin under which browsers and our own processes reach it. PUBLIC_URL when absent. */
  @IsOptional()
  @Matches(/^https?:\/\/[^/?#@\s]+$/, {
    message: 'SANDBOX_URL must be an origin such as http://127.0.0.1:3000',
  })
  SANDBOX_URL?: string;

  /** What its webhooks are signed with. Derived from JWT_PRIVATE_KEY when absent, outside production. */
  @IsOptional()
  @MinLength(32)
  SANDBOX_WEBHOOK_SECRET?: string;
}

/** Play money where real people play: only on purpose, and not under a key that anybody could derive. */
export function sandboxProblems(config: SandboxConfig): string[] {
  const { PAYMENTS_SANDBOX, SANDBOX_WEBHOOK_SECRET } = config;
  if (PAYMENTS_SANDBOX === 'on')
    return SANDBOX_WEBHOOK_SECRET === undefined
      ? ['SANDBOX_WEBHOOK_SECRET: required in production with PAYMENTS_SANDBOX=on']
      : [];
  return SANDBOX_WEBHOOK_SECRET === undefined
    ? []
    : ['SANDBOX_WEBHOOK_SECRET: the sandbox is refused in production without PAYMENTS_SANDBOX=on'];
}
