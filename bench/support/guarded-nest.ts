import 'reflect-metadata';
import { createHistogram } from 'node:perf_hooks';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { floors } from '../../src/app.module.js';
import { AccessTokensService } from '../../src/modules/auth/access-tokens.service.js';
import { AuthGuard } from '../../src/modules/auth/auth.guard.js';
import { AuthModule } from '../../src/modules/auth/auth.module.js';
import { SessionsService } from '../../src/modules/auth/sessions.service.js';
import { Rules } from '../../src/platform/config/rules.js';
import { DpopProofs } from '../../src/platform/security/dpop-proofs.js';
import { EarlyAsks } from '../../src/platform/security/early-asks.js';
import type { TierCounts } from '../../src/platform/security/tier-counts.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';

const timings = createHistogram();

/** The product's own guard without the count for the rate limit, which it only begins for the guard behind it. */
@Injectable()
class SessionCheck extends AuthGuard {
  constructor(
    tokens: AccessTokensService,
    proofs: DpopProofs,
    sessions: SessionsService,
    rules: Rules,
    early: EarlyAsks,
  ) {
    super(tokens, proofs, sessions, { begin: () => undefined } as unknown as TierCounts, rules, early);
  }
}

/** How long it takes. */
@Injectable()
class TimedGuard implements CanActivate {
  constructor(private readonly guard: SessionCheck) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const began = process.hrtime.bigint();
    const admitted = await this.guard.canActivate(context);
    timings.record(process.hrtime.bigint() - began);
    return admitted;
  }
}

/** One bare route, with the session check and without, and nothing else before it. */
@Controller('bench')
class BenchController {
  @Get('open')
  open(): string {
    return 'ok';
  }

  @Get('guarded')
  @UseGuards(SessionCheck)
  guarded(): string {
    return 'ok';
  }

  @Get('timed')
  @UseGuards(TimedGuard)
  timed(): string {
    return 'ok';
  }

  /** Milliseconds, of the timed route since this was asked last. */
  @Get('timings')
  timings(): { p99: number } {
    const p99 = timings.percentile(99) / 1e6;
    timings.reset();
    return { p99 };
  }
}

@Module({ imports: [AuthModule], controllers: [BenchController], providers: [SessionCheck, TimedGuard] })
class BenchModule {}

@Module({ imports: [...floors(loadAppConfig(), 'parley-api'), BenchModule] })
class GuardedModule {}

/** As Nest makes it; or, LEAN, without the parser of bodies and the ETag, which the product's own routes do without as well. */
const lean = process.env['LEAN'] === '1';
const app = await NestFactory.create(GuardedModule, { logger: ['error'], bodyParser: !lean });
if (lean) app.getHttpAdapter().getInstance().set('etag', false);
await app.listen(Number(process.env['PORT']), '127.0.0.1');
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
