export type SeasonFileErrorCode = 'SEASON_FILE_EMPTY' | 'SEASON_FILE_HEADER' | 'SEASON_FILE_BROKEN';

/**
 * The file as a whole cannot be read: it is empty, its header is of no known format, or it stops being CSV (a quote
 * never closed). A fault in one row is an {@link ImportIssue} instead, and reading goes on.
 */
export class SeasonFileError extends Error {
  override readonly name = 'SeasonFileError';

  constructor(
    readonly code: SeasonFileErrorCode,
    message: string,
    readonly missingColumns: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
