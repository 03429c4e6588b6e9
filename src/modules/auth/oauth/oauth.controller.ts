import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller } from '../../../platform/http/caller.decorator.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { AllowedWhenIdle } from '../../../platform/security/idle.decorators.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { Public } from '../../../platform/security/public.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { usersErrors } from '../../users/users.errors.js';
import { policyErrors } from '../../compliance/compliance.errors.js';
import { authErrors } from '../auth.errors.js';
import { SignedInDto } from '../dto/auth.dto.js';
import { sessionErrors } from '../sessions/session.errors.js';
import { totpErrors } from '../totp/totp.errors.js';
import { IdentityDto, OAuthSignInDto, ProofDto, ProviderParam } from './dto/oauth.dto.js';
import { IdentitiesService } from './identities.service.js';
import { oauthErrors } from './oauth.errors.js';
import { OAuthService } from './oauth.service.js';

const PROOF_ERRORS = [
  oauthErrors.PROVIDER_UNKNOWN,
  oauthErrors.ID_TOKEN_INVALID,
  oauthErrors.ID_TOKEN_USED,
  oauthErrors.TICKET_INVALID,
];

@ApiTags('auth')
@Operates('account')
@Controller('auth/oauth')
export class OAuthController {
  constructor(
    private readonly oauth: OAuthService,
    private readonly identities: IdentitiesService,
  ) {}

  @Get()
  @ApiBearerAuth('session')
  @Operation({ summary: 'The providers that are linked', answer: IdentityDto, list: 'whole' })
  async list(@CurrentSubject() subject: Subject): Promise<IdentityDto[]> {
    return await this.identities.list(subject);
  }

  @Post(':provider/token')
  @Public('the ID token or the ticket is the proof')
  @Operation({
    summary: 'Sign in, or open an account, by an ID token or a ticket',
    description:
      'An ID token and a ticket work once; a refusal leaves them good. REGISTRATION_REQUIRED: the same again with ' +
      '`account`. ACCOUNT_LINK_REQUIRED: sign in to the account that has this email, then link with the same proof. ' +
      'Either way a ticket stays good for 15 minutes from its making.',
    answer: SignedInDto,
    errors: [
      ...PROOF_ERRORS,
      policyErrors.GEO_BLOCKED,
      authErrors.REGISTRATION_REQUIRED,
      oauthErrors.ACCOUNT_LINK_REQUIRED,
      usersErrors.HANDLE_TAKEN,
      usersErrors.HANDLE_RESERVED,
      authErrors.TERMS_VERSION_OUTDATED,
      authErrors.BANNED,
      totpErrors.SECOND_FACTOR_REQUIRED,
    ],
  })
  async signIn(
    @Param() { provider }: ProviderParam,
    @Body() body: OAuthSignInDto,
    @CurrentCaller() caller: Caller,
  ): Promise<SignedInDto> {
    return await this.oauth.enter(provider, body, caller);
  }

  @Post(':provider/link')
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Link a provider to the account that is signed in',
    answer: IdentityDto,
    list: 'whole',
    errors: [
      ...PROOF_ERRORS,
      sessionErrors.PROOF_TOO_OLD,
      oauthErrors.IDENTITY_TAKEN,
      oauthErrors.PROVIDER_ALREADY_LINKED,
      authErrors.BANNED,
    ],
  })
  async link(
    @CurrentSubject() subject: Subject,
    @Param() { provider }: ProviderParam,
    @Body() body: ProofDto,
  ): Promise<IdentityDto[]> {
    return await this.identities.link(subject, provider, body);
  }

  @Post(':provider/reauthenticate')
  @ApiBearerAuth('session')
  @AllowedWhenIdle('it is the way out of being idle')
  @Operation({
    summary: 'Prove oneself again in an idle session by a linked provider',
    description: 'By password: auth/reauthenticate; by code: auth/otp/reauthenticate.',
    answer: null,
    errors: [...PROOF_ERRORS, oauthErrors.PROVIDER_NOT_LINKED],
  })
  async reauthenticate(
    @CurrentSubject() subject: Subject,
    @Param() { provider }: ProviderParam,
    @Body() body: ProofDto,
  ): Promise<void> {
    await this.identities.reauthenticate(subject, provider, body);
  }

  @Delete(':provider')
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Unlink a provider, unless it is the only way in',
    answer: null,
    errors: [
      sessionErrors.PROOF_TOO_OLD,
      oauthErrors.PROVIDER_UNKNOWN,
      oauthErrors.PROVIDER_NOT_LINKED,
      oauthErrors.LAST_WAY_IN,
    ],
  })
  async unlink(@CurrentSubject() subject: Subject, @Param() { provider }: ProviderParam): Promise<void> {
    await this.identities.unlink(subject, provider);
  }
}
