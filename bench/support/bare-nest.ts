import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { Controller, Get, Header, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const body = readFileSync(process.env['BODY_FILE'] ?? '', 'utf8');

/** The floor of the reads: Nest on Express, one route, the same bytes, nothing else. */
@Controller()
class BodyController {
  @Get('body')
  @Header('Content-Type', 'application/json; charset=utf-8')
  answer(): string {
    return body;
  }

  @Get('health/ready')
  ready(): string {
    return 'ok';
  }
}

@Module({ controllers: [BodyController] })
class BareModule {}

const app = await NestFactory.create(BareModule, { logger: false });
app.getHttpAdapter().getInstance().set('etag', false);
await app.listen(Number(process.env['PORT']), '127.0.0.1');
process.once('SIGTERM', () => void app.close());
