/** What a list carries beside its rows, by cursor (rows keep arriving) or by page (bounded tables). */
export type Pagination =
  { limit: number; nextCursor: string | null } | { page: number; limit: number; total: number };

/** A list as a service returns it; the envelope puts the rows in `data` and the rest in `meta.pagination`. */
export class Listed<T> {
  private text: string | undefined;

  constructor(
    readonly items: T[],
    readonly pagination: Pagination,
  ) {}

  /** The rows as JSON, rendered once: a list that many read from a cache is not rendered for each of them. */
  get json(): string {
    return (this.text ??= JSON.stringify(this.items));
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

/** An answer without the envelope: see `Bare`. */
export class Unwrapped {
  constructor(readonly value: unknown) {}
}
