import { Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { ReadsOwnBody } from '../../../platform/http/body.guard.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { Public } from '../../../platform/security/public.decorator.js';
import { depart } from './browser-cookie.js';
import { BrowserFlowService } from './browser-flow.service.js';
import { BeginQuery, ProviderParam } from './dto/oauth.dto.js';
import { oauthErrors } from './oauth.errors.js';
import { ProviderAnswer } from './provider-answer.decorator.js';
import { RedirectOperation, type Redirection } from './redirect-operation.decorator.js';

/** Where browsers go, and not programs: every answer but a refusal sends them on. */
@ApiTags('auth')
@Public('there is no session before signing in')
@Operates('account')
@Controller('auth/oauth')
export class OAuthBrowserController {
  constructor(private readonly flow: BrowserFlowService) {}

  @Get(':provider')
  @RedirectOperation({
    summary: 'Send a browser to sign in at a provider',
    description:
      'Open it in the browser itself, which keeps a cookie. It comes back to `redirectTo` within 10 minutes with ' +
      '`#ticket=…&provider=…`, to be sent with `verifier` to `POST auth/oauth/{provider}/token` within a minute, or with `#error=…`: ' +
      'one of the codes of the callback.',
    target: 'The provider',
    errors: [oauthErrors.PROVIDER_UNKNOWN, oauthErrors.REDIRECT_NOT_ALLOWED],
  })
  async begin(
    @Param() { provider }: ProviderParam,
    @Query() query: BeginQuery,
    @Headers('cookie') cookies: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Redirection> {
    return depart(response, await this.flow.begin(provider, query, cookies), 302);
  }

  @Get(':provider/callback')
  @RedirectOperation({
    summary: 'Where a provider sends the browser back to',
    description:
      'Not for programs. Answers OAUTH_STATE_INVALID itself; the other codes reach the app as `error` in the fragment ' +
      'of its address, SERVICE_UNAVAILABLE among them when the provider does not answer.',
    target: 'The app',
    errors: [
      oauthErrors.PROVIDER_UNKNOWN,
      oauthErrors.OAUTH_STATE_INVALID,
      oauthErrors.OAUTH_DENIED,
      oauthErrors.OAUTH_FAILED,
    ],
  })
  async finish(
    @Param() { provider }: ProviderParam,
    @ProviderAnswer() answer: URLSearchParams,
    @Headers('cookie') cookies: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Redirection> {
    return depart(response, await this.flow.finish(provider, answer, cookies), 302);
  }

  /** Apple posts its answer as a form, from its own page: the one route that takes no JSON, so no part of the document. */
  @Post('apple/callback')
  @ReadsOwnBody('a form of another page, which is no JSON')
  @ApiExcludeEndpoint()
  @RedirectOperation({ summary: "Where Apple's page posts its answer", target: 'The app', errors: [] })
  async finishPosted(
    @ProviderAnswer() answer: URLSearchParams,
    @Headers('cookie') cookies: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Redirection> {
    return depart(response, await this.flow.finish('apple', answer, cookies), 303);
  }
}
