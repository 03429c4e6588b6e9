import type { Type } from '@nestjs/common';
import { getSchemaPath } from '@nestjs/swagger';
import type { ErrorFactory, ErrorSpec } from '../http/domain-error.js';
import { failureExample, failureOf } from '../http/openapi.js';
import { exampleOf, type Schema } from '../http/openapi-examples.js';
import { successOf } from '../http/operation.decorator.js';
import type { SocketAsk, SocketEvent } from './socket-contract.js';

/** A message as the AsyncAPI document holds it. */
export interface Message {
  /** The event that carries it; an acknowledgement is none, and has the name of what it acknowledges before its own. */
  readonly name: string;
  readonly title: string;
  readonly summary?: string;
  readonly description?: string;
  readonly payload: object;
  readonly examples: readonly { readonly name: string; readonly payload: unknown }[];
}

/** What a client shows when it connects to a namespace. */
export const HANDSHAKE: Schema & object = {
  type: 'object',
  required: ['token'],
  properties: {
    token: { type: 'string', description: 'The access token', example: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln' },
    proof: {
      type: 'string',
      description: 'The DPoP proof, where the session is bound to a key',
      'x-alternative': true,
    },
  },
} as Schema;

const ID = { type: 'string', example: 'Zk3sP0bXw2T1q9dLAAAB' };

/** The messages of the document. `schemas` are those of the payloads, with an example a field. */
export class Messages {
  constructor(
    private readonly schemas: Readonly<Record<string, Schema>>,
    private readonly specs: ReadonlyMap<string, ErrorSpec>,
  ) {}

  connect(): Message {
    const payload = exampleOf(HANDSHAKE, this.schemas);
    return {
      name: 'connect',
      title: 'Connecting',
      summary: 'The connection to the namespace, with `auth`',
      payload: { $ref: '#/components/schemas/Handshake' },
      examples: [{ name: 'connect', payload }],
    };
  }

  connected(): Message {
    const payload = { type: 'object', required: ['sid'], properties: { sid: ID } };
    return {
      name: 'connect',
      title: 'Connected',
      summary: 'Libraries tell it as `connect`, and `sid` as the id of the socket',
      payload: asJsonSchema(payload),
      examples: [{ name: 'connect', payload: exampleOf(payload, this.schemas) }],
    };
  }

  connectError(errors: readonly ErrorFactory[]): Message {
    const codes = codesOf(errors);
    return {
      name: 'connect_error',
      title: 'Refused',
      summary: 'Libraries tell it as `connect_error`, an Error with `data`',
      payload: {
        type: 'object',
        required: ['message', 'data'],
        properties: {
          message: { type: 'string', description: 'A sentence for a developer' },
          data: {
            type: 'object',
            required: ['code', 'details'],
            properties: {
              code: { type: 'string', enum: codes },
              details: { type: 'object', description: 'Names the field, limit or state' },
            },
          },
        },
      },
      examples: codes.map((code) => ({
        name: code,
        payload: { message: this.specs.get(code)?.message ?? '', data: { code, details: {} } },
      })),
    };
  }

  ask({ name, summary, description, body }: SocketAsk): Message {
    return { name, title: name, summary, description, ...this.payloadOf(name, body) };
  }

  answer({ name, answer }: SocketAsk): Message {
    const payload = successOf(answer === null ? { type: 'null' } : { $ref: getSchemaPath(answer) });
    return {
      name: `${name}.answer`,
      title: `${name}: done`,
      payload: asJsonSchema(payload),
      examples: [{ name: 'done', payload: exampleOf(payload, this.schemas) }],
    };
  }

  refusal({ name }: SocketAsk, errors: readonly ErrorFactory[]): Message {
    const codes = codesOf(errors);
    return {
      name: `${name}.refusal`,
      title: `${name}: refused`,
      summary: codes.join(', '),
      payload: failureOf(codes),
      examples: codes.map((code) => ({
        name: code,
        payload: failureExample(code, this.specs.get(code)?.message ?? ''),
      })),
    };
  }

  event({ name, summary, description, payload }: SocketEvent): Message {
    return { name, title: name, summary, description, ...this.payloadOf(name, payload) };
  }

  private payloadOf(name: string, type: Type): Pick<Message, 'payload' | 'examples'> {
    const payload = { $ref: getSchemaPath(type) };
    return { payload, examples: [{ name, payload: exampleOf(payload, this.schemas) }] };
  }
}

function codesOf(errors: readonly ErrorFactory[]): string[] {
  return [...new Set(errors.map(({ code }) => code))];
}

/** As JSON Schema has it, of which AsyncAPI's is a superset: it knows no `example`. */
export function asJsonSchema(schema: object): object {
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]: [string, unknown]) => {
      if (key === 'example') return ['examples', [value]];
      // Names of fields are no keywords.
      if (key === 'properties') return [key, mapped(value as object)];
      return [key, DATA.has(key) ? value : within(value)];
    }),
  );
}

const DATA = new Set(['enum', 'const', 'default', 'required']);

const mapped = (schemas: object): object =>
  Object.fromEntries(
    Object.entries(schemas).map(([name, schema]: [string, unknown]) => [name, within(schema)]),
  );

function within(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(within);
  return typeof value === 'object' && value !== null ? asJsonSchema(value) : value;
}
