import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Rules } from '../config/rules.js';
import { newId } from '../database/ids.js';
import { toDomainError } from '../http/domain-error.filter.js';
import { httpErrors } from '../http/http.errors.js';
import { validationPipe } from '../http/validation.js';
import { RateLimitStorage } from '../security/rate-limit.storage.js';
import type { Subject, SubjectRequest } from '../security/subject.js';
import { TierCounts } from '../security/tier-counts.js';
import { SocketAccessPort } from './socket-access.port.js';
import type { SocketAsk } from './socket-contract.js';
import type { UserSocket } from './sockets.service.js';

type Answering<Body> = (body: Body) => Promise<object | null>;
type Acknowledge = (envelope: object) => void;

interface Refusals {
  readonly since: number;
  count: number;
}

const MINUTE_MS = 60_000;

/**
 * What clients ask for over a socket goes the way of a request: it counts as one of its user's, meets the rules of play and the
 * validation, and is acknowledged in the envelope of REST, refusals with the same codes. A socket that asks without reading what it
 * is answered, or without heeding refusals, is dropped.
 */
@Injectable()
export class SocketAsks {
  private readonly logger = new Logger('Sockets');
  private readonly pipe = validationPipe();
  private readonly refusals = new WeakMap<UserSocket, Refusals>();

  constructor(
    private readonly access: SocketAccessPort,
    private readonly storage: RateLimitStorage,
    private readonly tiers: TierCounts,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  on<Body extends object>(socket: UserSocket, ask: SocketAsk<Body>, answering: Answering<Body>): void {
    socket.on(
      ask.name as never,
      ((body: unknown, last: unknown) => {
        // Without a body the acknowledgement stands in its place.
        const [sent, told] = typeof body === 'function' ? [{}, body] : [body, last];
        const acknowledge = (envelope: object): void => {
          if (this.isTooMuch(socket)) drop(socket);
          else if (typeof told === 'function') (told as Acknowledge)(envelope);
        };
        // What it asks beyond what it reads is not even looked up.
        if (this.isTooMuch(socket)) return drop(socket);
        this.answer(socket, ask, answering, sent).then(acknowledge, (error: unknown) =>
          this.logger.error(error),
        );
      }) as never,
    );
  }

  private async answer<Body extends object>(
    socket: UserSocket,
    ask: SocketAsk<Body>,
    answering: Answering<Body>,
    sent: unknown,
  ): Promise<object> {
    try {
      await this.admit(socket.data.subject);
      this.access.get().require(socket.data.subject, socket.request, ask.operates);
      const body = (await this.pipe.transform(sent, { type: 'body', metatype: ask.body })) as Body;
      const data = await answering(body);
      return { success: true, data, meta: { timestamp: this.clock.now().toISOString() } };
    } catch (thrown) {
      this.countRefusal(socket);
      return this.refusal(thrown, ask.name);
    }
  }

  /** Whether more waits for it, or more of it has been refused in this minute, than may. */
  private isTooMuch(socket: UserSocket): boolean {
    const { unreadMessages, unreadBytes, refusalsPerMinute } = this.rules.realtime;
    if ((this.refusals.get(socket)?.count ?? 0) > refusalsPerMinute) return true;
    const waiting = unreadBy(socket);
    return waiting.length > unreadMessages || waiting.reduce((sum, size) => sum + size, 0) > unreadBytes;
  }

  private countRefusal(socket: UserSocket): void {
    const now = performance.now();
    const counted = this.refusals.get(socket);
    if (counted === undefined || now - counted.since > MINUTE_MS)
      this.refusals.set(socket, { since: now, count: 1 });
    else counted.count += 1;
  }

  private async admit(subject: Subject): Promise<void> {
    const { limit, seconds } = this.tiers.ruleOf({ subject } as SubjectRequest);
    const { isBlocked, timeToBlockExpire: retryAfter } = await this.storage.increment(
      subject.userId,
      seconds * 1000,
      limit,
      0,
      'default',
    );
    if (isBlocked) throw httpErrors.RATE_LIMITED({ limit, retryAfter });
  }

  private refusal(thrown: unknown, event: string): object {
    const error = toDomainError(thrown);
    const { code, message, details } = error;
    const requestId = newId();
    if (error.spec.status >= 500) this.logger.error({ err: error.cause ?? error, code, event, requestId });
    return { success: false, error: { code, message, details, requestId } };
  }
}

/** The lengths of the messages that the network has not taken. */
function unreadBy({ conn }: UserSocket): number[] {
  const { writeBuffer } = conn as unknown as { writeBuffer: readonly { data?: string }[] };
  return writeBuffer.map(({ data }) => data?.length ?? 0);
}

/** With what waits for it: it would not be closed before that was read. */
function drop(socket: UserSocket): void {
  socket.disconnect(true);
  socket.conn.close(true);
}
