import { readCursor } from '../../../platform/http/pagination.js';

const CURSOR = [/^\d{1,13}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** Where a page of a list that has the newest first begins: before this. */
export interface ListPosition {
  at: Date | 'infinity';
  id: string;
}

/** Throws INVALID_CURSOR. */
export function positionOf(cursor: string | undefined): ListPosition {
  const [at, id = ''] = readCursor(cursor, CURSOR) ?? [];
  if (at === undefined) return { at: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };
  return { at: new Date(Number(at)), id };
}
