import { follow, type Reference } from './document.js';

/** What of a document leads nowhere, one line each. */
export function unresolved(document: object): string[] {
  return [...references(document)]
    .filter((reference) => follow(document, { $ref: reference }) === undefined)
    .map((reference) => `nothing stands at ${reference === '' ? 'an empty $ref' : reference}`);
}

function references(value: unknown, found = new Set<string>()): Set<string> {
  if (value === null || typeof value !== 'object') return found;
  const { $ref: reference } = value as Partial<Reference>;
  if (typeof reference === 'string') found.add(reference);
  for (const inner of Object.values(value)) references(inner, found);
  return found;
}
