import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { errorCatalogue, type ErrorFactory } from '../http/domain-error.js';
import { httpErrors } from '../http/http.errors.js';
import { FAILURE, type GuardErrors, withoutNullable } from '../http/openapi.js';
import type { Schema } from '../http/openapi-examples.js';
import { OPERATES_EXTENSION } from '../security/operates.decorator.js';
import { asJsonSchema, HANDSHAKE, type Message, Messages } from './asyncapi-messages.js';
import { realtimeErrors } from './realtime.errors.js';
import { RealtimeModule } from './realtime.module.js';
import { HOLDING } from './socket-access.port.js';
import { type SocketAsk, type SocketContract, socketContracts } from './socket-contract.js';

interface Reference {
  readonly $ref: string;
}

interface Operation {
  readonly action: 'send' | 'receive';
  readonly channel: Reference;
  readonly summary: string;
  readonly description?: string;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
  readonly [OPERATES_EXTENSION]?: string;
}

interface Channel {
  readonly address: string;
  readonly title: string;
  readonly description: string;
  readonly messages: Record<string, Reference>;
  readonly bindings: object;
}

/** An AsyncAPI 3.0 document, as far as we make one. */
export interface AsyncApiDocument {
  readonly asyncapi: string;
  readonly info: object;
  readonly defaultContentType: string;
  readonly servers: object;
  readonly channels: Record<string, Channel>;
  readonly operations: Record<string, Operation>;
  readonly components: {
    readonly messages: Record<string, Message>;
    readonly schemas: Record<string, object>;
    readonly securitySchemes: object;
  };
}

const DESCRIPTION = `What a client and the server say to each other over Socket.IO, protocol 5, over WebSocket alone. A channel is a
namespace: a message goes as an event of its \`name\` with the payload as its only argument.

The document is the server's: what it *receives* a client sends, and what it *sends* a client receives. The reply to what is received is the
acknowledgement of the event, in the envelope of REST and with REST's error codes. An ask without a callback is done and not acknowledged, an event
that is not listed is not heard.

A client shows its access token when it connects to a namespace (\`auth: { token }\`) and is refused with \`connect_error\`, whose \`data.code\` says
why. Before that, the handshake counts as a request of its address: past the limit, or from a page of a strange origin, the upgrade is answered 400
with \`RATE_LIMITED\` or \`FORBIDDEN\` in its body. An open socket outlives its token, never its session, and is no activity of it. Each ask counts as one
of the user's requests. A socket that asks on without reading what it is answered, or without heeding refusals, is closed.

Rooms are the server's own affair: a client enters one by what it asks for, or by who it is, and is told what is told to it.

REST is described in openapi.json beside this document.`;

const SERVER = {
  pathname: '/socket.io/',
  security: [{ $ref: '#/components/securitySchemes/session' }],
};

/** On a machine of one's own, and behind what ends TLS. */
const SERVERS = {
  local: {
    ...SERVER,
    host: 'localhost:3000',
    protocol: 'ws',
    description: 'As it starts on a machine of your own',
  },
  public: {
    ...SERVER,
    host: '{host}',
    protocol: 'wss',
    description: 'As its operator serves it',
    variables: { host: { description: 'The host of the REST API', examples: ['api.example.com'] } },
  },
};

const SECURITY = {
  session: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'The access token of REST, as `auth.token` of the connection to each namespace. Where the session is bound to a key (DPoP), its proof is `auth.proof`: `htm` is GET, `htu` ends with `/socket.io/`.',
  },
};

const CHANNEL_BINDINGS = {
  ws: {
    method: 'GET',
    query: {
      type: 'object',
      required: ['EIO', 'transport'],
      properties: { EIO: { const: '4' }, transport: { const: 'websocket' } },
    },
    bindingVersion: '0.1.0',
  },
};

/** What anything that is asked may be answered with. */
const ANY_TIME = [httpErrors.INTERNAL_ERROR, httpErrors.SERVICE_UNAVAILABLE];

/** Builds the AsyncAPI 3.0 document from what the gateways that run, and the modules that tell something, have declared. */
export function buildAsyncApi(app: INestApplication, guards: GuardErrors): AsyncApiDocument {
  const contracts = socketContracts();
  const schemas = schemasOf(app, contracts);
  const messages = new Messages(schemas, new Map(errorCatalogue()));
  const handshake = {
    connect: messages.connect(),
    connected: messages.connected(),
    refused: messages.connectError([
      ...guards.session,
      ...guards.play(HOLDING.operation, HOLDING.product),
      realtimeErrors.TOO_MANY_SOCKETS,
      ...ANY_TIME,
    ]),
  };
  const described = contracts.map((contract) => describe(contract, messages, guards));
  const everySchema = { ...schemas, Failure: FAILURE, Handshake: HANDSHAKE };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Parley: the sockets',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: SERVERS,
    channels: Object.fromEntries(
      described.map(({ id, channel, messages: own }) => [
        id,
        {
          ...channel,
          messages: Object.fromEntries([
            ...Object.keys(handshake).map((key) => [key, { $ref: `#/components/messages/${key}` }]),
            ...Object.keys(own).map((key) => [key, { $ref: `#/components/messages/${id}.${key}` }]),
          ]) as Record<string, Reference>,
        },
      ]),
    ),
    operations: Object.assign(
      {},
      ...described.map(({ operations }) => operations),
    ) as AsyncApiDocument['operations'],
    components: {
      messages: Object.fromEntries([
        ...Object.entries(handshake),
        ...described.flatMap(({ id, messages: own }) =>
          Object.entries(own).map(([key, message]) => [`${id}.${key}`, message] as const),
        ),
      ]),
      schemas: Object.fromEntries(
        Object.entries(everySchema).map(([name, schema]) => [name, asJsonSchema(schema)]),
      ),
      securitySchemes: SECURITY,
    },
  };
}

/** A namespace: its channel, what goes over it, and who says it. */
interface Described {
  readonly id: string;
  readonly channel: Omit<Channel, 'messages'>;
  readonly messages: Readonly<Record<string, Message>>;
  readonly operations: Readonly<Record<string, Operation>>;
}

function describe(contract: SocketContract, messages: Messages, guards: GuardErrors): Described {
  const { name: address, title, description, asks, events } = contract;
  const id = idOf(address);
  const channel = { $ref: `#/channels/${id}` };
  const refer = (...keys: string[]) => keys.map((key) => ({ $ref: `${channel.$ref}/messages/${key}` }));
  const own: Record<string, Message> = {};
  const operations: Record<string, Operation> = {
    [`${id}.connect`]: {
      action: 'receive',
      channel,
      summary: `Connect to ${address}`,
      messages: refer('connect'),
      reply: { channel, messages: refer('connected', 'refused') },
    },
  };
  for (const ask of asks) {
    const key = idOf(ask.name);
    own[key] = messages.ask(ask);
    own[`${key}.answer`] = messages.answer(ask);
    own[`${key}.refusal`] = messages.refusal(ask, errorsOf(ask, guards));
    operations[`${id}.${key}`] = {
      action: 'receive',
      channel,
      summary: ask.summary,
      description: ask.description,
      messages: refer(key),
      reply: { channel, messages: refer(`${key}.answer`, `${key}.refusal`) },
      [OPERATES_EXTENSION]: ask.operates.operation,
    };
  }
  for (const event of events) {
    const key = idOf(event.name);
    own[key] = messages.event(event);
    operations[`${id}.${key}`] = {
      action: 'send',
      channel,
      summary: event.summary,
      description: event.description,
      messages: refer(key),
    };
  }
  return {
    id,
    channel: { address, title, description, bindings: CHANNEL_BINDINGS },
    messages: own,
    operations,
  };
}

/** What any ask may meet, and what this one does. */
function errorsOf({ errors, operates }: SocketAsk, guards: GuardErrors): ErrorFactory[] {
  const { operation, product } = operates;
  return [
    ...errors,
    httpErrors.VALIDATION_FAILED,
    ...guards.play(operation, product),
    httpErrors.RATE_LIMITED,
    ...ANY_TIME,
  ];
}

/** `/odds` is `odds`, `/` is `root`, `market:status` is `marketStatus`: what a generator can make a name of. */
function idOf(name: string): string {
  if (name === '/') return 'root';
  return name.replace(/^\W+/, '').replace(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The schemas of all payloads, as the OpenAPI document has them. */
function schemasOf(app: INestApplication, contracts: readonly SocketContract[]): Record<string, Schema> {
  const extraModels = contracts.flatMap(({ events, asks }) => [
    ...events.map(({ payload }) => payload),
    ...asks.flatMap(({ body, answer }) => (answer === null ? [body] : [body, answer])),
  ]);
  // Of a module without routes: nothing but these.
  const include = [RealtimeModule];
  const { components } = SwaggerModule.createDocument(app, new DocumentBuilder().build(), {
    include,
    extraModels,
  });
  return withoutNullable(components?.schemas ?? {}) as Record<string, Schema>;
}
