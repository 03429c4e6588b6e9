import { isUtf8 } from 'node:buffer';
import { pipeline, Transform, type Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { BytesRead } from './imported-game.js';
import { SeasonFileError } from './season-file-error.js';

/** A record of a CSV file: trimmed cells and the physical line it ends on. */
export interface CsvRecord {
  line: number;
  cells: string[];
}

/** Longer than any season file's row by far; ends the search for the end of a quote that was never closed. */
const MAX_RECORD_BYTES = 64 * 1024;

const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Streams the records of a CSV file, header first, without holding more than a few. Lines may end in LF, CRLF or CR; a
 * byte order mark is dropped, and so are empty lines and records whose cells are all empty.
 *
 * The encoding is decided a cell at a time: UTF-8 where its bytes are that, Latin-1 where they are not. So neither the
 * size of a chunk nor a lone stray byte late in the file changes how any other cell reads.
 *
 * Throws {@link SeasonFileError} where the file is no CSV, and whatever the source fails with. The source is destroyed
 * at the end, early or late.
 */
export async function* readCsvRecords(source: Readable, onProgress?: BytesRead): AsyncGenerator<CsvRecord> {
  const parser = parse({
    encoding: 'latin1',
    info: true,
    max_record_size: MAX_RECORD_BYTES,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  });
  // The iteration below reports a failure of any of the three; the callback only keeps it from being thrown twice.
  pipeline(source, withoutBom(onProgress), parser, () => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      const cells = record.map(decodeCell);
      if (cells.some((cell) => cell !== '')) yield { line: info.lines, cells };
    }
  } catch (error) {
    if (error instanceof CsvError) {
      const problem = `the file is not readable as CSV: ${error.message}`;
      throw new SeasonFileError('SEASON_FILE_BROKEN', problem, [], { cause: error });
    }
    throw error;
  } finally {
    // The pipeline would, but only after a while when the reader leaves early.
    source.destroy();
  }
}

/** Counts the bytes that pass, and takes a leading byte order mark away. */
function withoutBom(onProgress: BytesRead | undefined): Transform {
  let read = 0;
  let head: Buffer | null = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      read += chunk.length;
      try {
        onProgress?.(read);
      } catch (error) {
        // Thrown from here it would pass by the iteration and end the process.
        return done(error instanceof Error ? error : new Error(String(error)));
      }
      if (head === null) return done(null, chunk);
      head = Buffer.concat([head, chunk]);
      if (head.length < UTF8_BOM.length) return done();
      const start = head.subarray(0, UTF8_BOM.length).equals(UTF8_BOM) ? UTF8_BOM.length : 0;
      const rest = head.subarray(start);
      head = null;
      done(null, rest);
    },
    flush(done) {
      done(null, head);
    },
  });
}

function decodeCell(latin1: string): string {
  if (!/[\u0080-\u00ff]/.test(latin1)) return latin1.trim();
  const bytes = Buffer.from(latin1, 'latin1');
  return (isUtf8(bytes) ? bytes.toString('utf8') : latin1).trim();
}
