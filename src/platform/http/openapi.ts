import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { ErrorFactory } from './domain-error.js';
import { errorSchema } from './operation.decorator.js';

const FAILURE = {
  type: 'object',
  required: ['success', 'error'],
  properties: {
    success: { const: false },
    error: {
      type: 'object',
      required: ['code', 'message', 'details', 'requestId'],
      properties: {
        code: { type: 'string', description: 'One of a closed list; see docs/errors.md' },
        message: { type: 'string', description: 'A sentence for a developer' },
        details: { type: 'object', additionalProperties: true, description: 'Names the field, limit or state' },
        requestId: { type: 'string' },
      },
    },
  },
};

type Operation = { security?: unknown[]; responses: Record<string, unknown>; tags?: string[] };

/** Builds the OpenAPI 3.1 document from the routes that run. `guarded` are the codes of every signed-in operation. */
export function buildOpenApi(app: INestApplication, guarded: readonly ErrorFactory[]): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Parley')
    .setDescription('The backend for social wagering. Conventions: docs/api.md. Error codes: docs/errors.md.')
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer('/')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'session')
    .build();
  const document = SwaggerModule.createDocument(app, builder, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  document.components ??= {};
  document.components.schemas = { ...document.components.schemas, Failure: FAILURE as never };
  for (const path of Object.values(document.paths))
    for (const operation of Object.values(path as Record<string, Operation>))
      if (operation.security !== undefined && operation.security.length > 0) addGuardErrors(operation, guarded);
  return withoutNullable(document) as OpenAPIObject;
}

function addGuardErrors(operation: Operation, guarded: readonly ErrorFactory[]): void {
  for (const status of new Set(guarded.map((error) => error.spec.status))) {
    const group = guarded.filter((error) => error.spec.status === status);
    const present = operation.responses[String(status)] as { description: string } | undefined;
    const known = present ? present.description.split(', ') : [];
    const codes = [...new Set([...known, ...group.map((error) => error.code)])];
    const stand = codes.map((code) => ({ code })) as unknown as ErrorFactory[];
    operation.responses[String(status)] = {
      description: codes.join(', '),
      content: { 'application/json': { schema: errorSchema(stand) } },
    };
  }
}

/** OpenAPI 3.1 has no `nullable`: such a schema may be null beside what it says. */
function withoutNullable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullable);
  if (value === null || typeof value !== 'object') return value;
  const { nullable, ...rest } = value as Record<string, unknown>;
  const mapped = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, withoutNullable(inner)]));
  return nullable === true ? { anyOf: [mapped, { type: 'null' }] } : mapped;
}
