import { randomUUID } from 'node:crypto';
import {
  type DocumentedOperation,
  type OpenApiDocument,
  operationsOf,
  type Schema,
} from '../../scripts/openapi/document.js';
import { Builders } from './builders.js';
import type { Client } from './client.js';
import { inBatches, type Shot, shoot, wrongRefusal } from './refusals.js';
import { startSystem, type System } from './system.js';

const WEEK = 202340;

export const JSON_TYPE = { 'Content-Type': 'application/json' };

export type Attack = Omit<Shot, 'method' | 'path'> & { path?: string };

/** Every operation of the document that the running API serves, and who calls it: a new route as well. */
export class EveryRoute {
  private constructor(
    readonly system: System,
    readonly document: OpenApiDocument,
    /** Has not bet. */
    readonly player: Client,
    readonly admin: Client,
    /** Another player's. */
    readonly betId: string,
  ) {}

  static async start(): Promise<EveryRoute> {
    const system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { CORS_ORIGINS: 'https://app.example.com' },
    });
    const make = new Builders(system);
    await make.week(WEEK, { group: false });
    const [one, two] = await make.players(2, { pass: WEEK });
    await make.week(WEEK);
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const { id: marketId, odds } = game.moneyline;
    const bet = await one!.bet({ marketId, outcome: 'home', stake: 50, oddsId: odds['home'] });
    const document = (await (await fetch(`${system.url}/docs/openapi.json`)).json()) as OpenApiDocument;
    return new EveryRoute(system, document, two!, await make.admin(), bet.data.betId);
  }

  get operations(): DocumentedOperation[] {
    return operationsOf(this.document);
  }

  schemaOf({ operation }: DocumentedOperation): {
    required: string[];
    properties: Record<string, Schema>;
  } {
    const reference = operation.requestBody?.content['application/json']?.schema['$ref'];
    const schema = this.document.components['schemas']?.[String(reference).split('/').at(-1)!];
    const { required = [], properties = {} } = schema as {
      required?: string[];
      properties?: Record<string, Schema>;
    };
    return { required, properties };
  }

  /**
   * Sends what `attacks` makes of each operation; what is not refused by one of the codes, or any declared one, and how it is
   * answered instead.
   */
  async notRefused(
    which: readonly DocumentedOperation[],
    attacks: (operation: DocumentedOperation) => readonly Attack[],
    ...codes: string[]
  ): Promise<string[]> {
    const shots = which.flatMap((operation) => attacks(operation).map((attack) => ({ operation, attack })));
    const wrong: string[] = [];
    await inBatches(shots, async ({ operation, attack }) => {
      const hit = await shoot(this.system.url, {
        method: operation.method,
        path: pathOf(operation),
        ...attack,
      });
      const problem = wrongRefusal(this.document, operation, hit, codes);
      if (problem !== null) wrong.push(`${operation.name}, ${attack.what}: ${problem}`);
    });
    return shots.length > 0 ? wrong : ['nothing was sent'];
  }
}

/** The path with its parameters' examples, or with the values given. */
export function pathOf(
  { path, operation }: DocumentedOperation,
  values: Record<string, string> = {},
): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = (operation.parameters ?? []).find((one) => one.in === 'path' && one.name === name);
    return values[name] ?? encodeURIComponent(String(parameter?.schema['example']));
  });
}

export function bodyOf({ operation }: DocumentedOperation): Record<string, unknown> | undefined {
  return operation.requestBody?.content['application/json']?.example as Record<string, unknown> | undefined;
}

/** A body for methods that may have one. */
export function textOf(body: unknown): string | undefined {
  return body === undefined ? undefined : JSON.stringify(body);
}

export const bearer = (client: Client) => ({ Authorization: `Bearer ${client.token}` });
export const withKey = () => ({ 'Idempotency-Key': randomUUID() });
export const isWrite = ({ method }: DocumentedOperation) => method !== 'GET';
export const takesBody = (operation: DocumentedOperation) => bodyOf(operation) !== undefined;
