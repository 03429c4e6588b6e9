import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { LoopbackServer } from './loopback-server.js';

/** In place of the usual answer. `accept-and-break` does what it was asked and is not heard. */
export type Mood =
  | { status: number; body?: object; text?: string; headers?: Record<string, string> }
  | 'silence'
  | 'break'
  | 'accept-and-break';

/** What the documentation does not allow. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string | null,
    problem: string,
  ) {
    super(problem);
  }
}

/** What stand-ins of mobile money have in common: transactions, refusals that are remembered, and moods. */
export abstract class MobileMoneyServer<Transaction> extends LoopbackServer {
  readonly transactions = new Map<string, Transaction>();
  /** Why requests were refused. */
  readonly problems: string[] = [];
  /** Answers in place of the usual ones, of anything but the giving of tokens. */
  moods: Mood[] = [];
  tokenMoods: Mood[] = [];
  tokensIssued = 0;

  /** The only transaction there is. */
  get only(): Transaction {
    const [only, ...others] = this.transactions.values();
    if (!only || others.length > 0) throw new Error(`there are ${this.transactions.size} transactions`);
    return only;
  }

  reset(): void {
    for (const list of [this.problems, this.moods, this.tokenMoods]) list.length = 0;
    this.transactions.clear();
  }

  protected abstract asksForToken(path: string): boolean;
  /** Status and body; throws Refused. */
  protected abstract respond(request: IncomingMessage, sent: string): [number, object | null];
  protected abstract refusalOf(refused: Refused): object | null;

  protected async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = await text(request);
    const reply = (status: number, body: object | null, headers: Record<string, string> = {}): void =>
      void response
        .writeHead(status, { 'Content-Type': 'application/json', ...headers })
        .end(body === null ? '' : JSON.stringify(body));
    const mood = (this.asksForToken(request.url ?? '') ? this.tokenMoods : this.moods).shift();
    if (mood === 'silence') return;
    if (mood === 'break') return void request.socket.destroy();
    if (mood && typeof mood === 'object')
      return mood.text === undefined
        ? reply(mood.status, mood.body ?? null, mood.headers)
        : void response.writeHead(mood.status, { 'Content-Type': 'text/html' }).end(mood.text);
    try {
      const [status, body] = this.respond(request, sent);
      if (mood === 'accept-and-break') return void request.socket.destroy();
      reply(status, body);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.problems.push(error.message);
      reply(error.status, this.refusalOf(error));
    }
  }
}
