/** A JSON schema as the OpenAPI document holds it. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  example?: unknown;
  const?: unknown;
  enum?: unknown[];
  allOf?: Schema[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  /** Goes in place of other fields, so that no example holds it. */
  'x-alternative'?: boolean;
}

/**
 * A value that fits the schema, put together from the examples of its fields; undefined where a field has none, which
 * the check of the document then reports. `named` are `components.schemas`.
 */
export function exampleOf(schema: Schema, named: Readonly<Record<string, Schema>>): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.$ref !== undefined) {
    const target = named[schema.$ref.split('/').at(-1) ?? ''];
    return target && exampleOf(target, named);
  }
  const [first] = schema.anyOf ?? schema.allOf ?? [];
  if (first !== undefined) return exampleOf(first, named);
  if (schema.type === 'null') return null;
  if (schema.items !== undefined) return [exampleOf(schema.items, named)];
  if (schema.properties === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(schema.properties)
      .filter(([, property]) => property['x-alternative'] !== true)
      .map(([name, property]) => [name, exampleOf(property, named)]),
  );
}
