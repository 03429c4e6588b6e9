import type { ErrorSpec } from '../../src/platform/http/domain-error.js';
import type { AsyncApiDocument } from '../../src/platform/realtime/asyncapi.js';
import { type Reply, repliesOf } from './asyncapi.js';
import { codesOf, type DocumentedOperation, type OpenApiDocument, operationsOf } from './document.js';

const INTRODUCTION = `<!-- Made by \`npm run docs\` from the code that runs. -->

# Error codes

A failure is \`{ "success": false, "error": { "code", "message", "details", "requestId" } }\`. The list of codes is closed and each
has one HTTP status. Decide by \`code\`: \`message\` is a sentence for a developer and may change. \`details\` names the field,
limit or state. 429 and 503 tell in \`Retry-After\` after how many seconds to try again.
`;

/** Who answers a code beside operations and sockets. */
const ELSEWHERE: Readonly<Record<string, string>> = { NOT_FOUND: 'any other address' };

/** Groups of operations that are told by what they have in common, the widest first. */
const GROUPS: readonly [string, (one: DocumentedOperation) => boolean][] = [
  ['every operation', () => true],
  ['every operation that asks for a session', ({ operation }) => (operation.security ?? []).length > 0],
  [
    'every operation with parameters or a body',
    ({ method, operation }) =>
      method !== 'GET' || (operation.parameters ?? []).some((parameter) => parameter.in !== 'header'),
  ],
  ['every `POST`', ({ method }) => method === 'POST'],
  ['every operation that asks for a permission', ({ operation }) => operation['x-permissions'] !== undefined],
];

/** The page of all codes: status, message, and the operations and sockets that can answer each. */
export function errorsPage(
  document: OpenApiDocument,
  sockets: AsyncApiDocument,
  catalogue: ReadonlyMap<string, ErrorSpec>,
): string {
  const replies = repliesOf(sockets);
  const operations = operationsOf(document);
  const answers = Map.groupBy(
    operations.flatMap((one) =>
      [...codesOf(document, one.operation).values()].flat().map((code) => ({ code, one })),
    ),
    ({ code }) => code,
  );
  const rows = [...catalogue]
    .toSorted(([a, left], [b, right]) => left.status - right.status || a.localeCompare(b))
    .map(([code, { status, message }]) => {
      const answering = (answers.get(code) ?? []).map(({ one }) => one);
      return `| \`${code}\` | ${status} | ${message.replaceAll('|', '\\|')} | ${[...told(code, answering, operations), ...refusing(code, replies)].join('<br>')} |`;
    });
  return `${INTRODUCTION}\n| code | status | message | answered by |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function told(
  code: string,
  answering: readonly DocumentedOperation[],
  all: readonly DocumentedOperation[],
): string[] {
  const elsewhere = ELSEWHERE[code] === undefined ? [] : [ELSEWHERE[code]];
  const group = GROUPS.find(
    ([, belongs]) => answering.length > 0 && all.every((one) => belongs(one) === answering.includes(one)),
  );
  const names = answering.map(({ name }) => `\`${name.replace('/api/v1', '')}\``);
  return [...(group ? [group[0]] : names), ...elsewhere];
}

/** Who of the sockets answers it: the handshake of every namespace, every event that asks, or these. */
function refusing(code: string, replies: readonly Reply[]): string[] {
  const [handshakes, asks] = [replies.filter(isHandshake), replies.filter((reply) => !isHandshake(reply))];
  const refuses = ({ codes }: Reply) => codes.includes(code);
  return [
    ...(handshakes.some(refuses) ? ['a socket that connects'] : []),
    ...(asks.length > 0 && asks.every(refuses)
      ? ['every event that asks']
      : asks.filter(refuses).map(({ asked, address }) => `\`${asked}\` on \`${address}\``)),
  ];
}

const isHandshake = ({ asked }: Reply): boolean => asked === 'connect';
