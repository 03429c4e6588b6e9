import { type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { HandlerMetadata } from '../http/handler-metadata.js';

const ASKS_EARLY = 'parley:asks-early';

/** What this route's handler will ask of Redis about its caller is asked with the question for the session. */
export const AsksEarly = (name: string) => SetMetadata(ASKS_EARLY, name);

/**
 * Questions to Redis that a handler would ask only after the guards have had their answers: begun as soon as the token tells
 * who asks, they travel in the same packet. They may be asked for somebody who is then refused; so they only read.
 */
@Injectable()
export class EarlyAsks {
  private readonly asks = new Map<string, (userId: string) => void>();
  private readonly named = new HandlerMetadata<string>(ASKS_EARLY);

  register(name: string, ask: (userId: string) => void): void {
    this.asks.set(name, ask);
  }

  begin(context: ExecutionContext, userId: string): void {
    const name = this.named.of(context);
    if (name !== undefined) this.asks.get(name)?.(userId);
  }
}
