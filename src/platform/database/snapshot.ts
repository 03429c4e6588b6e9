import pg, { type PoolClient, type QueryResultRow } from 'pg';
import { ANSWER_MARGIN_MS } from './data-source-options.js';

/** Rows that are held at a time, of however many. */
const BATCH = 500;
const { builtins, getTypeParser } = pg.types;

/** Values as JSON carries them: days stay days, bytes become base64, whole numbers numbers wherever they fit. */
const JSON_TYPES = {
  getTypeParser: (oid: (typeof builtins)['INT8']): ((text: string) => unknown) => {
    if (oid === builtins.DATE) return (text) => text;
    if (oid === builtins.INT8) return (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : text);
    if (oid === builtins.BYTEA) return (text) => Buffer.from(text.slice(2), 'hex').toString('base64');
    return getTypeParser(oid, 'text') as (text: string) => unknown;
  },
};

export type JsonRow = Readonly<Record<string, unknown>>;

/** One moment of the database: what is read from it fits together, however long the reading takes. */
export class Snapshot {
  private cursors = 0;

  /** With `patienceMs` the client waits so long for an answer, and a little for the server to say that it gave up. */
  constructor(
    private readonly client: PoolClient,
    private readonly patienceMs?: number,
  ) {}

  /** All rows of a query at once: for few rows, however many are read for them. */
  async all<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const patience =
      this.patienceMs === undefined ? {} : { query_timeout: this.patienceMs + ANSWER_MARGIN_MS };
    const { rows } = await this.client.query<Row>({ text, values: [...values], ...patience });
    return rows;
  }

  /** The rows of a query through a cursor, their columns in camel case. Nothing is read before the first is asked for. */
  async *rows(text: string, values: readonly unknown[]): AsyncGenerator<JsonRow> {
    const cursor = `snapshot_${(this.cursors += 1)}`;
    await this.client.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${text}`, [...values]);
    for (;;) {
      const { rows } = await this.client.query<Record<string, unknown>>({
        text: `FETCH ${BATCH} FROM ${cursor}`,
        types: JSON_TYPES,
      });
      for (const row of rows) yield camelCased(row);
      if (rows.length < BATCH) break;
    }
    await this.client.query(`CLOSE ${cursor}`);
  }
}

function camelCased(row: Record<string, unknown>): JsonRow {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}
