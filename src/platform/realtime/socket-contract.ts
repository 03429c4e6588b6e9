import { applyDecorators, type Type } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import type { ErrorFactory } from '../http/domain-error.js';
import type { Declaration } from '../security/operates.decorator.js';

/** What a gateway says of its namespace. */
interface NamespaceOptions {
  /** Its address, as clients connect to it: `/odds`. */
  readonly name: string;
  readonly title: string;
  /** What it is for, and which rooms a socket of it is in. */
  readonly description: string;
}

interface EventOptions<Name extends string, Payload extends object> {
  /** Null: the sockets of every namespace are told it. */
  readonly namespace: string | null;
  readonly name: Name;
  readonly payload: Type<Payload>;
  readonly summary: string;
  /** To whom and when, and what a client makes of it. */
  readonly description: string;
}

/** What the server tells sockets. Whoever tells something names one of these, so that nothing is told which no document knows. */
export interface SocketEvent<
  Name extends string = string,
  Payload extends object = object,
  Namespace extends string | null = string | null,
> extends EventOptions<Name, Payload> {
  readonly namespace: Namespace;
}

interface AskOptions<Body extends object> {
  readonly namespace: string;
  readonly name: string;
  /** Its body, validated as a request's. */
  readonly body: Type<Body>;
  /** What `data` of the acknowledgement is; null when there is nothing to say. */
  readonly answer: Type<object> | null;
  /** What it is to the rules of play. */
  readonly operates: Declaration;
  readonly summary: string;
  readonly description: string;
  /** The codes of its own; those that any ask may be answered with are added. */
  readonly errors?: readonly ErrorFactory[];
}

/** What a client may ask for over a socket. It is answered by `SocketAsks.on`, which takes nothing else. */
export interface SocketAsk<Body extends object = object> extends AskOptions<Body> {
  readonly errors: readonly ErrorFactory[];
}

/** What a server or a namespace may be made to emit, for the compiler: the events, and those of every namespace. */
export type Telling<Event extends SocketEvent = never> = Record<
  Event['name'] | 'session:ending',
  (payload: object) => void
>;

const namespaces = new Map<string, NamespaceOptions & { readonly gateway: object }>();
const events: SocketEvent[] = [];
const asks: SocketAsk[] = [];

/** Makes a class the gateway of a namespace, and describes that in the AsyncAPI document. In place of Nest's `@WebSocketGateway`. */
export function SocketNamespace(options: NamespaceOptions): ClassDecorator {
  return applyDecorators(WebSocketGateway({ namespace: options.name }), (gateway: object) => {
    if (namespaces.has(options.name)) throw new Error(`Namespace ${options.name} is declared twice`);
    namespaces.set(options.name, { ...options, gateway });
  });
}

/** Declares what the server tells, in a module's `*.sockets.ts`. */
export function defineSocketEvent<
  const Name extends string,
  Payload extends object,
  const Namespace extends string | null,
>(
  event: EventOptions<Name, Payload> & { readonly namespace: Namespace },
): SocketEvent<Name, Payload, Namespace> {
  if (events.some(({ name, namespace }) => name === event.name && overlap(namespace, event.namespace)))
    throw new Error(`Socket event ${event.name} is declared twice`);
  events.push(event);
  return event;
}

/** Declares what a client may ask for, in a module's `*.sockets.ts`. */
export function defineSocketAsk<Body extends object>(options: AskOptions<Body>): SocketAsk<Body> {
  if (asks.some(({ name, namespace }) => name === options.name && namespace === options.namespace))
    throw new Error(`Socket ask ${options.name} is declared twice`);
  const ask = { errors: [], ...options };
  asks.push(ask);
  return ask;
}

/** Of Socket.IO itself: it is there without a gateway, and whoever may have a socket gets one. */
const ROOT = {
  name: '/',
  title: 'Nothing but the end of the session',
  description:
    'Where a client is that names no namespace. Nothing is asked for here; connect to the other namespaces directly.',
  gateway: null,
};

/** What of a namespace was declared. */
export interface SocketContract extends NamespaceOptions {
  /** Null of the root. */
  readonly gateway: object | null;
  readonly events: readonly SocketEvent[];
  readonly asks: readonly SocketAsk[];
}

/**
 * Everything that the modules loaded so far have declared, by namespace. Throws when something was declared of a namespace that no
 * gateway serves.
 */
export function socketContracts(): SocketContract[] {
  const lost = [...events, ...asks].find(({ namespace }) => namespace !== null && !namespaces.has(namespace));
  if (lost) throw new Error(`${lost.name} is declared of ${lost.namespace}, which no gateway serves`);
  const byName = <T extends { readonly name: string }>(list: readonly T[]): T[] =>
    list.toSorted((a, b) => a.name.localeCompare(b.name));
  return byName([ROOT, ...namespaces.values()]).map((namespace) => ({
    ...namespace,
    events: byName(events.filter((event) => overlap(event.namespace, namespace.name))),
    asks: byName(asks.filter((ask) => ask.namespace === namespace.name)),
  }));
}

function overlap(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}
