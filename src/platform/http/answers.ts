/** What a list carries beside its rows, by cursor (rows keep arriving) or by page (bounded tables). */
export type Pagination =
  { limit: number; nextCursor: string | null } | { page: number; limit: number; total: number };

/** A list as a service returns it; the envelope puts the rows in `data` and the rest in `meta.pagination`. */
export class Listed<T> {
  constructor(
    readonly items: T[],
    readonly pagination: Pagination,
  ) {}
}

/** A list as JSON: what many read from a cache is rendered once, and takes no more room there than its text. */
export class RenderedList<T> {
  readonly json: string;
  readonly pagination: Pagination;

  constructor({ items, pagination }: Listed<T>) {
    this.json = JSON.stringify(items);
    this.pagination = pagination;
  }
}

/**
 * The answer of an idempotent operation. A replay is the first answer again, to the byte: `at` is the time of the effect
 * and becomes `meta.timestamp`.
 */
export class Effect<T> {
  constructor(
    readonly data: T,
    readonly at: Date,
    readonly replayed: boolean,
  ) {}
}

/** What is asked for is not done yet, because it waits for something that `data` tells: 202 in place of the operation's own status. */
export class Accepted<T> {
  constructor(readonly data: T) {}
}

/** An answer without the envelope: see `Bare`. */
export class Unwrapped {
  constructor(readonly value: unknown) {}
}
