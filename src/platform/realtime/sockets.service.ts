import { setImmediate } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { createAdapter } from '@socket.io/redis-adapter';
import type { Redis } from 'ioredis';
import type { Namespace, Server, Socket } from 'socket.io';
import { AppConfig } from '../config/app-config.js';
import { Rules } from '../config/rules.js';
import { PlacesService } from '../geo/places.service.js';
import { toDomainError } from '../http/domain-error.filter.js';
import { PollLoop } from '../jobs/poll-loop.js';
import { Lifecycle } from '../observability/lifecycle.js';
import { RedisConnections } from '../redis/redis-connections.js';
import type { Subject } from '../security/subject.js';
import { realtimeErrors } from './realtime.errors.js';
import { type EndingReason, sessionEnding } from './realtime.sockets.js';
import { SocketAccessPort } from './socket-access.port.js';
import type { SocketEvent, Telling } from './socket-contract.js';

/** How often the sessions of open sockets are looked up, for a message about an ended one may have been lost. */
const SWEEP_MS = 15_000;
const SWEPT_AT_ONCE = 20;

/** A socket whose user is known; `data` is set before any handler sees it. It can be told what was declared, and nothing else. */
export type UserSocket<Event extends SocketEvent = never> = Socket<
  Record<string, never>,
  Telling<Event>,
  Record<string, never>,
  { subject: Subject }
>;

/** A namespace of such sockets. */
export type UserNamespace<Event extends SocketEvent = never> = Namespace<
  Record<string, never>,
  Telling<Event>,
  Record<string, never>,
  { subject: Subject }
>;

/** What is told to a user, in whichever processes their sockets are. */
interface Message<Payload extends object> {
  readonly userId: string;
  /** To the sockets of this session alone. */
  readonly sessionId?: string;
  /** One that is told in a namespace of its own. */
  readonly event: SocketEvent<string, Payload, string>;
  readonly payload: NoInfer<Payload>;
}

/** The same, as it goes from process to process. */
interface TravellingMessage {
  readonly userId: string;
  readonly sessionId?: string;
  readonly namespace: string;
  readonly event: string;
  readonly payload: object;
}

/** Sockets of a user that end though their sessions do not. */
interface Closing {
  readonly userId: string;
  readonly reason: EndingReason;
}

/**
 * Open sockets: who may have one, and when it is taken away. A socket outlives its access token, never its session: an ended
 * one is told on a Redis channel, which drops its sockets in every process; a sweep finds what that has missed.
 */
@Injectable()
export class SocketsService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Sockets');
  private readonly loop = new PollLoop('Sockets', SWEEP_MS, () => this.sweep());
  private server: Server | undefined;
  private subscriber: Redis | undefined;
  private readonly listeners = new Map<string, (message: string) => void>();

  constructor(
    private readonly redis: RedisConnections,
    private readonly access: SocketAccessPort,
    private readonly places: PlacesService,
    private readonly config: AppConfig,
    private readonly rules: Rules,
    lifecycle: Lifecycle,
  ) {
    lifecycle.onStop(() => {
      for (const namespace of this.namespaces) namespace.local.disconnectSockets(true);
    });
  }

  /** Called once, by the adapter that has made the server. Every namespace asks who connects, those of later modules too. */
  guard(server: Server): void {
    this.server = server;
    this.subscriber = this.subscribing();
    const key = `${this.config.REDIS_PREFIX}:sockets`;
    server.adapter(createAdapter(this.redis.cache, this.subscriber, { key }));
    server.on('new_namespace', (namespace: Namespace) => this.guardNamespace(namespace));
    this.guardNamespace(server.of('/'));
  }

  /** Tells a user something, on every socket that they (or one session of theirs) have open in the namespace. For every process, the worker as well. */
  async tell<Payload extends object>({ event, ...message }: Message<Payload>): Promise<void> {
    const { namespace, name } = event;
    const travelling: TravellingMessage = { ...message, namespace, event: name };
    await this.redis.cache.publish(this.messagesChannel, JSON.stringify(travelling));
  }

  /** Ends the sockets that a user has open, in every process and every namespace: they may connect again, as what they are now. */
  async close(closing: Closing): Promise<void> {
    await this.redis.cache.publish(this.closingsChannel, JSON.stringify(closing));
  }

  /** Hears a channel of Redis, in the API process. Messages are lost while Redis is away. To be called before the application has started. */
  listen(channel: string, heard: (message: string) => void): void {
    this.listeners.set(channel, heard);
  }

  onApplicationBootstrap(): void {
    if (!this.subscriber) return; // the worker
    const { endedChannel } = this.access.get();
    this.subscriber.on('message', (channel, message) => {
      if (channel === endedChannel) this.drop(`session:${message}`, 'SESSION_ENDED');
      if (channel === this.closingsChannel) this.dropUser(JSON.parse(message) as Closing);
      if (channel === this.messagesChannel) this.deliver(JSON.parse(message) as TravellingMessage);
      this.listeners.get(channel)?.(message);
    });
    this.subscriber
      .subscribe(endedChannel, this.messagesChannel, this.closingsChannel, ...this.listeners.keys())
      .catch(() => undefined);
    this.places.onReload(() => this.loop.wake());
    this.loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    this.subscriber?.disconnect();
  }

  /** A connection that waits for Redis as long as it takes, and subscribes again by itself when it was lost. */
  private subscribing(): Redis {
    const { cache } = this.redis;
    const connection = cache.duplicate({
      enableReadyCheck: false, // a subscriber may not ask
      enableAutoPipelining: false,
      maxRetriesPerRequest: null,
      commandTimeout: undefined,
    });
    connection.on('error', (error) => this.logger.warn(error.message));
    // Nobody waits for these: what is still unanswered when the process ends is no failure.
    for (const command of ['subscribe', 'psubscribe', 'unsubscribe', 'punsubscribe'] as const) {
      const send = connection[command].bind(connection) as (...channels: string[]) => Promise<unknown>;
      connection[command] = (async (...channels: string[]) =>
        await send(...channels).catch(() => undefined)) as Redis['subscribe'] & Redis['unsubscribe'];
    }
    return connection;
  }

  private guardNamespace(namespace: Namespace): void {
    namespace.use((socket: UserSocket, next) => void this.admit(socket, next));
  }

  private async admit(socket: UserSocket, next: (refused?: Error) => void): Promise<void> {
    const { auth } = socket.handshake;
    let refused: Error | undefined;
    try {
      const access = this.access.get();
      const subject = await access.admit({ auth, request: socket.request });
      this.requireRoom(socket, subject.sessionId);
      socket.data.subject = subject;
      await socket.join([`user:${subject.userId}`, `session:${subject.sessionId}`]);
      // It may have ended before its socket could be found by it.
      if (!(await access.lives(subject.sessionId))) throw access.ended();
      await access.requirePlay(subject, socket.request);
    } catch (error) {
      refused = refusal(error);
    }
    next(refused);
  }

  /** Nothing is waited for between this and the joining, so that of sockets that come at once none is overlooked. */
  private requireRoom({ nsp }: UserSocket, sessionId: string): void {
    const { socketsPerSession: limit } = this.rules.realtime;
    const open = nsp.adapter.rooms.get(`session:${sessionId}`)?.size ?? 0;
    if (open >= limit) throw realtimeErrors.TOO_MANY_SOCKETS({ limit });
  }

  private deliver({ userId, sessionId, namespace, event, payload }: TravellingMessage): void {
    const room = sessionId === undefined ? `user:${userId}` : `session:${sessionId}`;
    this.server?.of(namespace).local.in(room).emit(event, payload);
  }

  private dropUser({ userId, reason }: Closing): void {
    this.drop(`user:${userId}`, reason);
  }

  /** Ends this process's sockets of a session or a user. */
  private drop(room: string, reason: EndingReason): void {
    for (const namespace of this.namespaces) {
      const sockets = namespace.local.in(room);
      sockets.emit(sessionEnding.name, { reason });
      sockets.disconnectSockets(true);
    }
  }

  /** Drops the sockets of this process whose sessions have ended, or that are no longer where they may be. */
  async sweep(): Promise<boolean> {
    const access = this.access.get();
    const sockets = this.namespaces.flatMap(({ sockets: open }): UserSocket[] => [...open.values()]);
    for (const [index, socket] of sockets.entries()) {
      // A few at a time: thousands at once would keep what is to be told waiting.
      if (index % SWEPT_AT_ONCE === 0) await setImmediate();
      if (!socket.connected || access.mayStay(socket.data.subject, socket.request)) continue;
      socket.emit(sessionEnding.name, { reason: 'GEO_BLOCKED' });
      socket.disconnect(true);
    }
    const sessions = new Set(sockets.map(({ data }) => data.subject.sessionId));
    for (const sessionId of sessions)
      if (!(await access.lives(sessionId))) this.drop(`session:${sessionId}`, 'SESSION_ENDED');
    return false;
  }

  private get messagesChannel(): string {
    return `${this.config.REDIS_PREFIX}:socket-messages`;
  }

  private get closingsChannel(): string {
    return `${this.config.REDIS_PREFIX}:socket-closings`;
  }

  private get namespaces(): UserNamespace[] {
    return [...(this.server?._nsps.values() ?? [])];
  }
}

/** In the form in which Socket.IO tells a client, as `connect_error` with `data`. */
function refusal(thrown: unknown): Error {
  const { code, message, details } = toDomainError(thrown);
  return Object.assign(new Error(message), { data: { code, details } });
}
