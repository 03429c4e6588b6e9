import type { Readable } from 'node:stream';
import { DateTime } from 'luxon';
import { readCsvRecords, type CsvRecord } from './csv-records.js';
import type { BytesRead, ImportedMarket, ImportIssue } from './imported-game.js';
import { SeasonFileError } from './season-file-error.js';

export interface CalendarDate {
  year: number;
  month: number;
  day: number;
}

interface Header {
  columns: ReadonlyMap<string, number>;
  /** With the columns that have no name, of which some files have several. */
  width: number;
}

const MAX_TEXT = 100;
const MAX_AMERICAN = 1_000_000;

/**
 * The rows of a season file under its header. Throws {@link SeasonFileError} before the first row when the file is empty
 * or lacks one of `required`, and names all that it lacks.
 */
export async function* readRows(
  source: Readable,
  format: string,
  required: readonly string[],
  onProgress?: BytesRead,
): AsyncGenerator<RowReader> {
  let header: Header | null = null;
  for await (const record of readCsvRecords(source, onProgress)) {
    if (header) yield new RowReader(header, record);
    else header = indexHeader(record.cells, format, required);
  }
  if (!header)
    throw new SeasonFileError('SEASON_FILE_EMPTY', `the file is empty: no ${format} header`, required);
}

function indexHeader(cells: readonly string[], format: string, required: readonly string[]): Header {
  const missing = required.filter((column) => !cells.includes(column));
  if (missing.length > 0) {
    throw new SeasonFileError(
      'SEASON_FILE_HEADER',
      `this is no ${format} season file: its header lacks ${missing.join(', ')}`,
      missing,
    );
  }
  const columns = new Map<string, number>();
  for (const [index, column] of cells.entries()) {
    if (column !== '' && columns.has(column)) {
      throw new SeasonFileError('SEASON_FILE_HEADER', `the header names the column ${column} twice`);
    }
    columns.set(column, index);
  }
  return { columns, width: cells.length };
}

/**
 * Reads the fields of one row, each strictly. A field that is wrong is noted and read as null, so that a row tells all
 * of its mistakes at once; the row may be used only while {@link faulty} is false.
 */
export class RowReader {
  readonly line: number;
  private readonly faults: ImportIssue[] = [];
  private readonly dropped: ImportIssue[] = [];

  constructor(
    private readonly header: Header,
    private readonly record: CsvRecord,
  ) {
    this.line = record.line;
  }

  get faulty(): boolean {
    return this.faults.length > 0;
  }

  /** What was noted: only the faults of a faulty row, else the markets it lost. */
  issues(externalId: string | null): ImportIssue[] {
    return (this.faulty ? this.faults : this.dropped).map((issue) => ({ ...issue, externalId }));
  }

  /** Notes a fault that leaves the whole row out. */
  refuse(column: string | null, problem: string): null {
    this.faults.push(this.issue(column, problem));
    return null;
  }

  /** Notes that the row's game stands without this market. */
  dropMarket(market: ImportedMarket['kind'], column: string, problem: string): null {
    this.dropped.push({ ...this.issue(column, problem), market });
    return null;
  }

  /** Refuses a row that has not one cell for every column. */
  expectEveryCell(): void {
    const [has, wants] = [this.record.cells.length, this.header.width];
    if (has !== wants) this.refuse(null, `has ${has} fields where the header has ${wants}`);
  }

  /** Refuses a row with values past the last column: its fields have shifted, so no field can be trusted. */
  expectNothingPastHeader(): void {
    const extra = this.record.cells.slice(this.header.width).filter((cell) => cell !== '').length;
    if (extra > 0) this.refuse(null, `has ${extra} more values than the header has columns`);
  }

  /** The cell's text; `''` for one that is empty, `NA`, cut off or of a column that this file does not have. */
  cell(column: string): string {
    const index = this.header.columns.get(column);
    const value = index === undefined ? '' : (this.record.cells[index] ?? '');
    return value === 'NA' ? '' : value;
  }

  isBlank(column: string): boolean {
    return this.cell(column) === '';
  }

  /** A name or an id: present, of reasonable length, printable. */
  text(column: string): string | null {
    const value = this.cell(column);
    if (value === '') return this.refuse(column, 'is missing');
    if (value.length > MAX_TEXT) return this.refuse(column, `is longer than ${MAX_TEXT} characters`);
    if (/\p{C}/u.test(value)) return this.refuse(column, 'holds characters that cannot be shown');
    return value;
  }

  oneOf<T extends string>(column: string, allowed: readonly T[]): T | null {
    const value = this.cell(column);
    if (value === '') return this.refuse(column, 'is missing');
    const found = allowed.find((one) => one === value);
    return found ?? this.refuse(column, `must be ${allowed.join(' or ')}`);
  }

  /** A four-digit year. */
  year(column: string): number | null {
    if (this.isBlank(column)) return this.refuse(column, 'is missing');
    const value = this.cell(column);
    return /^(19|20)\d\d$/.test(value) ? Number(value) : this.refuse(column, 'is not a year');
  }

  /** Home and away points: both or, before the game is played, neither (null). */
  score(home: string, away: string): { home: number; away: number } | null {
    if (this.isBlank(home) && this.isBlank(away)) return null;
    const points = { home: this.points(home), away: this.points(away) };
    return points.home === null || points.away === null ? null : { home: points.home, away: points.away };
  }

  private points(column: string): number | null {
    if (this.isBlank(column)) return this.refuse(column, 'is missing although the other score is given');
    const value = this.cell(column);
    return /^\d{1,3}$/.test(value)
      ? Number(value)
      : this.refuse(column, 'is not a score (a whole number, 0 or more)');
  }

  /** A whole number with a sign of either kind; undefined when the cell is blank. */
  integerIfGiven(column: string): number | null | undefined {
    if (this.isBlank(column)) return undefined;
    const value = this.cell(column);
    return /^[+-]?\d{1,6}$/.test(value) ? Number(value) : this.refuse(column, 'is not a whole number');
  }

  american(column: string): number | null {
    const value = this.cell(column);
    if (!/^[+-]?\d+$/.test(value)) return this.refuse(column, 'is not American odds (a whole number)');
    const odds = Number(value);
    if (Math.abs(odds) < 100) return this.refuse(column, 'is not American odds (at least 100 either way)');
    return Math.abs(odds) <= MAX_AMERICAN
      ? odds
      : this.refuse(column, 'is not American odds (far out of range)');
  }

  /** A decimal price above 1, its text untouched so that the exact price is kept. */
  decimalPrice(column: string): string | null {
    const value = this.cell(column);
    if (!/^\d{1,5}(\.\d{1,6})?$/.test(value)) return this.refuse(column, 'is not a decimal price');
    return Number(value) > 1 ? value : this.refuse(column, 'is not a decimal price (must be above 1)');
  }

  /** A line in quarters of a point: −3.5 is −14. Exact, for a quarter is a binary fraction. */
  quarters(column: string): number | null {
    const value = this.cell(column);
    if (!/^[+-]?\d{1,3}(\.\d{1,4})?$/.test(value)) return this.refuse(column, 'is not a line (a number)');
    const quarters = Number(value) * 4;
    return Number.isInteger(quarters) ? quarters : this.refuse(column, 'is not a line (a multiple of 0.25)');
  }

  /** The day that a source's own notation stands for, where the calendar has it. */
  day(column: string, date: CalendarDate): CalendarDate | null {
    return DateTime.fromObject(date, { zone: 'utc' }).isValid ? date : this.refuse(column, 'is no such day');
  }

  /** `HH:MM` on a day in a zone. Refuses a time that does not exist there (the gap of a spring-forward night). */
  instant(date: CalendarDate, column: string, time: string, zone: string): Date | null {
    const clock = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
    if (!clock) return this.refuse(column, time === '' ? 'is missing' : 'is not a time (HH:MM)');
    const at = DateTime.fromObject({ ...date, hour: Number(clock[1]), minute: Number(clock[2]) }, { zone });
    if (at.toFormat('HH:mm') !== time) return this.refuse(column, `does not exist on that day in ${zone}`);
    return at.toJSDate();
  }

  private issue(column: string | null, problem: string): ImportIssue {
    const index = column === null ? undefined : this.header.columns.get(column);
    const value = index === undefined ? null : (this.record.cells[index] ?? null);
    return { line: this.line, column, value: value === '' ? null : value, problem, externalId: null };
  }
}
