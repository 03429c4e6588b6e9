import { IntField, TextField } from './fields.js';
import { Listed } from './answers.js';
import { httpErrors } from './http.errors.js';

/** `?limit=&cursor=` of lists whose rows keep arriving. */
export class CursorQuery {
  @IntField({
    optional: true,
    query: true,
    min: 1,
    max: 100,
    description: 'Rows of this page (default 20)',
    example: 20,
  })
  limit?: number;

  @TextField({ optional: true, max: 500, description: 'meta.pagination.nextCursor of the page before' })
  cursor?: string;
}

/** `?page=&limit=` of bounded tables. */
export class PageQuery {
  @IntField({
    optional: true,
    query: true,
    min: 1,
    max: 100_000,
    description: 'Page, from 1 (default 1)',
    example: 1,
  })
  page?: number;

  @IntField({
    optional: true,
    query: true,
    min: 1,
    max: 100,
    description: 'Rows of a page (default 20)',
    example: 20,
  })
  limit?: number;
}

export const DEFAULT_LIMIT = 20;

/** Where a page by cursor begins: after the row with these key values (as text), in the list's documented order. */
export function readCursor(cursor: string | undefined, patterns: readonly RegExp[]): string[] | null {
  if (cursor === undefined) return null;
  const parts = Buffer.from(cursor, 'base64url').toString('utf8').split('|');
  const fits =
    parts.length === patterns.length && patterns.every((pattern, index) => pattern.test(parts[index] ?? ''));
  if (!fits) throw httpErrors.INVALID_CURSOR({ field: 'cursor' });
  return parts;
}

/**
 * Makes a page of `limit` rows out of at most `limit + 1` that were read; the extra one only tells that there is more. Where
 * only so much is looked through at a time, the page may be shorter and the next one begin after `goesOnAfter`.
 */
export function cursorPage<Row, Item>(
  rows: Row[],
  limit: number,
  keyOf: (row: Row) => readonly (string | number)[],
  toItem: (row: Row) => Item,
  goesOnAfter: readonly (string | number)[] | null = null,
): Listed<Item> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const key = rows.length > limit && last !== undefined ? keyOf(last) : goesOnAfter;
  const nextCursor = key && Buffer.from(key.join('|')).toString('base64url');
  return new Listed(page.map(toItem), { limit, nextCursor });
}
