import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Bare } from '../../../platform/http/bare.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { Public } from '../../../platform/security/public.decorator.js';
import { type PublishedKey, SigningKeys } from './signing-keys.js';

/** Read by whoever verifies access tokens, in the form that JWT libraries expect. */
@ApiExcludeController()
@Public('public keys are public')
@Operates('machine')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly keys: SigningKeys) {}

  /** A new key is published before it signs, so what is cached for minutes does no harm. */
  @Get('jwks.json')
  @Bare()
  @Header('Cache-Control', 'public, max-age=300')
  @Header('Content-Type', 'application/jwk-set+json')
  published(): { keys: PublishedKey[] } {
    return this.keys.published();
  }
}
