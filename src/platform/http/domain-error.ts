/** What a module declares of one of its error codes: the HTTP status it maps to and the sentence shown by default. */
export interface ErrorSpec {
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 429 | 451 | 500 | 503;
  readonly message: string;
}

export type ErrorDetails = Readonly<Record<string, unknown>>;

const catalogue = new Map<string, ErrorSpec>();

/**
 * A refusal that a client can act on: a stable code owned by one module, a message safe to show, and details that name
 * the field, limit or state. Services throw it; the one filter maps it to HTTP and to socket acknowledgements.
 */
export class DomainError extends Error {
  constructor(
    readonly code: string,
    readonly spec: ErrorSpec,
    readonly details: ErrorDetails = {},
    options: { message?: string; cause?: unknown } = {},
  ) {
    super(options.message ?? spec.message, { cause: options.cause });
    this.name = 'DomainError';
  }
}

export type ErrorFactory = ((
  details?: ErrorDetails,
  options?: { message?: string; cause?: unknown },
) => DomainError) & { readonly code: string; readonly spec: ErrorSpec };

/**
 * Declares the closed list of a module's codes. A code without its status does not compile, and a code declared twice
 * does not boot, so the list in `docs/errors.md` and in the OpenAPI document is complete by construction.
 */
export function defineErrors<const Codes extends Record<string, ErrorSpec>>(
  codes: Codes,
): { readonly [Code in keyof Codes]: ErrorFactory } {
  const factories = Object.entries(codes).map(([code, spec]) => {
    if (catalogue.has(code)) throw new Error(`Error code ${code} is declared twice`);
    catalogue.set(code, spec);
    const factory = (details?: ErrorDetails, options?: { message?: string; cause?: unknown }) =>
      new DomainError(code, spec, details, options);
    return [code, Object.assign(factory, { code, spec })] as const;
  });
  return Object.fromEntries(factories) as { [Code in keyof Codes]: ErrorFactory };
}

/** Every code declared by the modules loaded so far, sorted. */
export function errorCatalogue(): [code: string, spec: ErrorSpec][] {
  return [...catalogue.entries()].toSorted(([a], [b]) => a.localeCompare(b));
}
