import { v7 } from 'uuid';

/** A new UUIDv7: ordered by the time it was made, so that indexes grow at their right edge. */
export function newId(): string {
  return v7();
}
