import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import type { ErrorSpec } from '../../src/platform/http/domain-error.js';
import type { AsyncApiDocument } from '../../src/platform/realtime/asyncapi.js';
import { follow, type Reference } from './document.js';
import { unresolved } from './references.js';
import { Schemas } from './schemas.js';

type Message = AsyncApiDocument['components']['messages'][string];

export interface Reply {
  /** `subscribe` on `/odds`; of the handshake, which every namespace has, `connect`. */
  readonly asked: string;
  readonly address: string;
  /** The codes with which it may be refused. */
  readonly codes: readonly string[];
}

/** What clients ask for, with what refuses it. */
export function repliesOf(document: AsyncApiDocument): Reply[] {
  return Object.values(document.operations).flatMap(({ channel, messages, reply }) => {
    const asked = messages[0] && messageAt(document, messages[0]);
    if (reply === undefined || asked === undefined) return [];
    const address = follow<AsyncApiDocument['channels'][string]>(document, channel)?.address ?? '';
    const codes = reply.messages.flatMap((one) => codesOf(messageAt(document, one)));
    return [{ asked: asked.name, address, codes }];
  });
}

/** All that is wrong with the document, one line each: nothing when it may be published. */
export function socketProblemsOf(
  document: AsyncApiDocument,
  catalogue: ReadonlyMap<string, ErrorSpec>,
): string[] {
  const schemas = new Schemas(document);
  return [
    ...notAsyncApi(document),
    ...unresolved(document),
    ...Object.entries(document.components.messages).flatMap(([name, { payload, examples }]) => [
      ...(examples.length === 0 ? [`${name} has no example`] : []),
      ...examples.flatMap((example) => {
        const misfit = schemas.misfit(payload, example.payload);
        return misfit === null
          ? []
          : [`${name} ${example.name}: its example does not fit its schema: ${misfit}`];
      }),
    ]),
    ...repliesOf(document).flatMap(({ asked, address, codes }) => [
      ...(codes.length === 0 ? [`${asked} on ${address} does not say what refuses it`] : []),
      ...codes
        .filter((code) => !catalogue.has(code))
        .map((code) => `${asked} on ${address} is refused with ${code}, which no module declares`),
    ]),
  ];
}

/** Why it is not what the AsyncAPI Initiative's own schema says a document is. */
function notAsyncApi(document: AsyncApiDocument): string[] {
  if (document.asyncapi !== '3.0.0') return [`the document is AsyncAPI ${document.asyncapi}, not 3.0.0`];
  // Draft 07 itself is among what it refers to, and stands in it.
  const ajv = new Ajv({ allErrors: true, strict: false, meta: false, validateSchema: false });
  formats.default(ajv);
  const isDocument = ajv.compile(specs.schemas['3.0.0'] as object);
  if (isDocument(document)) return [];
  return (isDocument.errors ?? []).map(
    ({ instancePath, message }) => `not valid AsyncAPI 3.0.0: ${instancePath} ${message}`,
  );
}

/** Of a channel's message, which is itself a reference. */
function messageAt(document: AsyncApiDocument, reference: Reference): Message | undefined {
  const listed = follow<Reference>(document, reference);
  return listed && follow<Message>(document, listed);
}

/** The codes that the examples of a refusal are named by. */
function codesOf(message: Message | undefined): string[] {
  return (message?.examples ?? []).map(({ name }) => name).filter((name) => /^[A-Z][A-Z_]+$/.test(name));
}
