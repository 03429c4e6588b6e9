import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { readCsvRecords } from './csv-records.js';
import type { ImportedRow, ParseOptions, SeasonFormat } from './imported-game.js';
import { FOOTBALL_DATA_COLUMNS, parseFootballData } from './parse-football-data.js';
import { NFLVERSE_COLUMNS, parseNflverse } from './parse-nflverse.js';
import { SeasonFileError } from './season-file-error.js';

const FORMATS = {
  nflverse: { columns: NFLVERSE_COLUMNS, parse: parseNflverse },
  'football-data': { columns: FOOTBALL_DATA_COLUMNS, parse: parseFootballData },
} satisfies Record<SeasonFormat, unknown>;

/** How far reading has come, in bytes of the file as it was when it was opened. */
export interface SeasonProgress {
  bytesRead: number;
  totalBytes: number;
}

export interface OpenSeasonOptions extends ParseOptions {
  /** Called for each chunk read (some 64 KB), the last time with every byte. */
  onProgress?: (progress: SeasonProgress) => void;
}

/** A season file whose format is known. Each iteration reads it anew from the start. */
export interface SeasonFile extends AsyncIterable<ImportedRow> {
  readonly path: string;
  readonly format: SeasonFormat;
  readonly totalBytes: number;
}

/**
 * Opens a season file and tells its format by its header. Nothing stays open between this and the iteration, nor after
 * an iteration that is left early.
 *
 * Throws `SeasonFileError` when the file is empty or of no known format (naming what each format misses in it), and the
 * system's error when it cannot be read.
 */
export async function openSeason(path: string, options: OpenSeasonOptions = {}): Promise<SeasonFile> {
  const { size: totalBytes } = await stat(path);
  const format = detectFormat(await readHeader(path));
  const { onProgress } = options;
  return {
    path,
    format,
    totalBytes,
    [Symbol.asyncIterator]: () =>
      FORMATS[format].parse(
        createReadStream(path),
        onProgress && ((bytesRead) => onProgress({ bytesRead, totalBytes })),
        options,
      ),
  };
}

async function readHeader(path: string): Promise<string[]> {
  for await (const record of readCsvRecords(createReadStream(path))) return record.cells;
  throw new SeasonFileError('SEASON_FILE_EMPTY', 'the season file is empty');
}

/** The format all of whose columns the header has. */
function detectFormat(header: readonly string[]): SeasonFormat {
  const missing = Object.entries(FORMATS).map(([format, { columns }]) => ({
    format: format as SeasonFormat,
    columns: columns.filter((column) => !header.includes(column)),
  }));
  const found = missing.find(({ columns }) => columns.length === 0);
  if (found) return found.format;
  const lacks = missing
    .map(({ format, columns }) => `for ${format} it lacks ${columns.join(', ')}`)
    .join('; ');
  const nearest = missing.toSorted((one, other) => one.columns.length - other.columns.length)[0];
  throw new SeasonFileError(
    'SEASON_FILE_HEADER',
    `this is no season file that is known: ${lacks}`,
    nearest?.columns,
  );
}
