import { Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import type { Request, Response } from 'express';
import { Bare } from '../../../../platform/http/bare.decorator.js';
import { ReadsOwnBody } from '../../../../platform/http/body.guard.js';
import { Operates } from '../../../../platform/security/operates.decorator.js';
import { Public } from '../../../../platform/security/public.decorator.js';
import { SandboxIdParam } from './dto/sandbox.dto.js';
import { SandboxPagesService } from './sandbox-pages.service.js';

/** What somebody who pays sees of the sandbox, in a browser. */
@ApiExcludeController()
@Public('who pays has no session with the provider')
@SkipThrottle({ default: true }) // people and tests; floods are held off as everywhere
@Bare()
@Operates('machine')
@Controller('sandbox/pay')
export class SandboxPageController {
  constructor(private readonly pages: SandboxPagesService) {}

  @Get(':id')
  async show(
    @Param() { id }: SandboxIdParam,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    return await this.pages.show(id, response);
  }

  @Post(':id')
  @HttpCode(303)
  @ReadsOwnBody('the form of a page, which is no JSON')
  async decide(
    @Param() { id }: SandboxIdParam,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    return await this.pages.decide(id, formOf(request), response);
  }
}

function formOf({ body }: Request): URLSearchParams {
  return new URLSearchParams(typeof body === 'string' ? body : '');
}
