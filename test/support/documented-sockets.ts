import { io, type Socket } from 'socket.io-client';
import { follow } from '../../scripts/openapi/document.js';
import { Schemas } from '../../scripts/openapi/schemas.js';
import type { AsyncApiDocument } from '../../src/platform/realtime/asyncapi.js';
import type { Answer } from './client.js';
import { sealed } from './documented-api.js';

type Json = Answer['data'];
type Message = AsyncApiDocument['components']['messages'][string];
type Channel = AsyncApiDocument['channels'][string];

/** A message by its key in the channel. */
interface Listed {
  readonly key: string;
  readonly message: Message;
}

const REFUSAL = /^(refused|.*\.refusal)$/;
const EVENT = /^\w+$/;
const HANDSHAKE = ['connect', 'connected', 'refused'];

/** Connects and asks, and holds all that real sockets hear against the AsyncAPI document, to the property. */
export class DocumentedSockets {
  /** What came otherwise than the document says. */
  readonly wrong: string[] = [];
  private readonly seen = new Set<string>();
  private readonly open: Socket[] = [];
  private readonly closed: Schemas;
  private readonly schemas: Schemas;

  constructor(
    private readonly url: string,
    private readonly document: AsyncApiDocument,
  ) {
    this.closed = new Schemas(sealed(document));
    // A refusal is told in two parts, neither of which knows the other's properties; the envelope is closed by itself.
    this.schemas = new Schemas(document);
  }

  /** A socket that is in, or the code that keeps it out. */
  async connect(
    namespace: string,
    auth: Record<string, unknown>,
    headers: Record<string, string> = {},
    url = this.url,
  ): Promise<Socket | string> {
    const options = { transports: ['websocket'], reconnection: false, forceNew: true };
    const socket = io(`${url}${namespace}`, { ...options, auth, extraHeaders: headers });
    this.open.push(socket);
    socket.onAny((event: string, payload: unknown) => this.hear(namespace, event, payload));
    return await new Promise((resolve) => {
      socket.once('connect', () => {
        this.check(namespace, 'connect', auth);
        this.check(namespace, 'connected', { sid: socket.id });
        resolve(socket);
      });
      socket.once('connect_error', ({ message, data }: Error & { data?: Json }) => {
        this.check(namespace, 'refused', { message, data });
        resolve(String(data?.code ?? message));
      });
    });
  }

  /** What the acknowledgement has for `data`, or the code of the refusal. */
  async ask(socket: Socket, namespace: string, event: string, body?: unknown): Promise<Json> {
    const sent = body === undefined ? [] : [body];
    const answer: Json = await socket.timeout(10_000).emitWithAck(event, ...sent);
    if (answer.success) {
      if (body !== undefined) this.check(namespace, event, body);
      this.check(namespace, `${event}.answer`, answer);
      return answer.data;
    }
    this.check(namespace, `${event}.refusal`, answer);
    return answer.error.code;
  }

  /** What of the document did not come: messages, and codes of refusals, by namespace and key. */
  unseen(): string[] {
    return Object.values(this.document.channels)
      .flatMap(({ address, messages }) =>
        Object.keys(messages).flatMap((key) => {
          const { message } = this.listed(address, key)!;
          const codes = REFUSAL.test(key) ? message.examples.map(({ name }) => ` ${name}`) : [''];
          return codes.map((code) => `${address} ${key}${code}`);
        }),
      )
      .filter((one) => !this.seen.has(one))
      .toSorted();
  }

  close(): void {
    for (const socket of this.open) socket.close();
  }

  private hear(namespace: string, event: string, payload: unknown): void {
    const key = this.keyOf(namespace, event);
    if (key === undefined) this.wrong.push(`${namespace} ${event} is not in the document`);
    else this.check(namespace, key, payload);
  }

  private check(namespace: string, key: string, payload: Json): void {
    const listed = this.listed(namespace, key);
    if (listed === undefined) {
      this.wrong.push(`${namespace} ${key} is not in the document`);
      return;
    }
    const isRefusal = REFUSAL.test(key);
    const misfit = (isRefusal ? this.schemas : this.closed).misfit(
      isRefusal ? listed.message.payload : sealed(listed.message.payload),
      payload,
    );
    if (misfit !== null) this.wrong.push(`${namespace} ${key}: ${misfit}`);
    const code = isRefusal ? ` ${payload.error?.code ?? payload.data?.code}` : '';
    this.seen.add(`${namespace} ${key}${code}`);
  }

  /** The key of the message that the server sends as this event. */
  private keyOf(namespace: string, event: string): string | undefined {
    return Object.keys(this.channelOf(namespace)?.messages ?? {}).find(
      (key) =>
        EVENT.test(key) && !HANDSHAKE.includes(key) && this.listed(namespace, key)?.message.name === event,
    );
  }

  private listed(namespace: string, key: string): Listed | undefined {
    const reference = this.channelOf(namespace)?.messages[key];
    const message = reference && follow<Message>(this.document, reference);
    return message && { key, message };
  }

  private channelOf(namespace: string): Channel | undefined {
    return Object.values(this.document.channels).find(({ address }) => address === namespace);
  }
}
