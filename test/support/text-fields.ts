import {
  follow,
  type OpenApiDocument,
  operationsOf,
  type Reference,
  type Schema,
} from '../../scripts/openapi/document.js';

/** Text of another form is refused wherever such a string stands: its own tests say so. */
const FORMS = ['uuid', 'date', 'date-time'];

/**
 * The places of the document's bodies where a client may write a text of its own, as `Profiles_update.bio`,
 * `Otp_verify.account.handle` or `Profiles_update.favouriteSports[]`.
 */
export function textFieldsOf(document: OpenApiDocument): string[] {
  const within = (value: Schema | Reference | undefined, at: string): string[] => {
    const schema = value && follow<Schema>(document, value);
    if (!schema) return [];
    const { type, format, items, properties = {}, allOf = [] } = schema;
    const isText = [type].flat().includes('string') && !('enum' in schema) && !FORMS.includes(String(format));
    return [
      ...(isText ? [at] : []),
      ...within(items as Schema | undefined, `${at}[]`),
      ...(allOf as Schema[]).flatMap((part) => within(part, at)),
      ...Object.entries(properties as Record<string, Schema>).flatMap(([name, inner]) =>
        within(inner, `${at}.${name}`),
      ),
    ];
  };
  return operationsOf(document).flatMap(({ operation }) =>
    within(operation.requestBody?.content['application/json']?.schema, String(operation.operationId)),
  );
}

/** The body with the text at a place as `textFieldsOf` names it, without the operation. */
export function bodyWith(body: unknown, place: string, text: string): Record<string, unknown> {
  const whole = structuredClone(body ?? {}) as Record<string, unknown>;
  const steps = place.split('.');
  const last = steps.pop()!;
  let inner = whole;
  for (const step of steps) {
    const name = step.replace('[]', '');
    const next = (inner[name] ??= step === name ? {} : [{}]) as Record<string, unknown>;
    inner = (Array.isArray(next) ? next[0] : next) as Record<string, unknown>;
  }
  if (last.endsWith('[]')) inner[last.slice(0, -2)] = [text];
  else inner[last] = text;
  return whole;
}
