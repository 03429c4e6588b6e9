import { StreamableFile } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Response } from 'express';
import type { Clock } from '../clock/clock.js';
import { Accepted, Effect, Listed, type Pagination, RenderedList, Unwrapped } from './answers.js';

/**
 * Express as Nest drives it, with one thing of ours: what a controller returns goes out in `{ success, data, meta }`, and
 * straight to the socket. Express's own `json()` looks for an ETag, a charset, a callback and freshness at each answer,
 * and an interceptor that wraps would cost an Observable a request.
 */
export class EnvelopeAdapter extends ExpressAdapter {
  /** Set once the application is made, before it listens. */
  clock: Clock;

  override reply(response: Response, value: unknown, statusCode?: number): unknown {
    if (value instanceof Unwrapped) return super.reply(response, value.value, statusCode);
    if (value instanceof StreamableFile) return super.reply(response, value, statusCode);
    if (value instanceof Accepted) response.statusCode = 202;
    else if (statusCode !== undefined) response.statusCode = statusCode;
    const text = this.textOf(value, response);
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    const length = Buffer.byteLength(text);
    response.setHeader('Content-Length', length);
    // As many bytes as characters: ASCII, which as latin1 goes out without being encoded.
    return response.end(text, length === text.length ? 'latin1' : 'utf8');
  }

  private textOf(value: unknown, response: Response): string {
    if (value instanceof Effect) {
      if (value.replayed) response.setHeader('Idempotent-Replayed', 'true');
      return envelope(JSON.stringify(value.data), value.at);
    }
    const now = this.clock.now();
    if (value instanceof Listed) return paged(JSON.stringify(value.items), value.pagination, now);
    if (value instanceof RenderedList) return paged(value.json, value.pagination, now);
    if (value instanceof Accepted) return envelope(JSON.stringify(value.data), now);
    return envelope(JSON.stringify(value ?? null), now);
  }
}

function paged(items: string, pagination: Pagination, at: Date): string {
  return envelope(items, at, `,"pagination":${JSON.stringify(pagination)}`);
}

function envelope(data: string, at: Date, more = ''): string {
  return `{"success":true,"data":${data},"meta":{"timestamp":"${at.toISOString()}"${more}}}`;
}
