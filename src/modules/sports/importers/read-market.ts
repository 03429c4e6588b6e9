import type { ImportedMarket, ImportedPrice } from './imported-game.js';
import type { RowReader } from './row-reader.js';

/** The columns in which a source gives one bookmaker's prices on a market. */
export interface QuoteColumns {
  /** The line's column, when the line stands in the file. */
  line?: string;
  /** One of each outcome, in the order of `OUTCOMES`. */
  prices: readonly PriceColumn[];
}

interface PriceColumn {
  outcome: ImportedPrice['outcome'];
  column: string;
}

export interface MarketColumns {
  kind: ImportedMarket['kind'];
  /** The line when it is the same for every game and stands in the columns' names. */
  fixedLine?: string;
  /** True where the source writes a favoured home side's line as positive. */
  lineIsForAway?: boolean;
  odds: 'american' | 'decimal';
  /** One or more bookmakers, the preferred one first. */
  quotes: readonly QuoteColumns[];
}

/**
 * Reads a market from the first bookmaker that quotes it completely; bookmakers after that one are not looked at, right
 * or wrong. Nobody quotes any of it: there is no market, and nothing to say. Somebody quotes a part (a line without
 * prices, one price of two or three) and nobody the whole: null, and an issue that names the first field missing. A value that is
 * malformed is a fault of the row.
 */
export function readMarket(row: RowReader, market: MarketColumns): ImportedMarket | null {
  const complete = market.quotes.find((quote) => columnsOf(quote).every((column) => !row.isBlank(column)));
  if (complete) return readQuote(row, market, complete);

  const partial = market.quotes.find((quote) => columnsOf(quote).some((column) => !row.isBlank(column)));
  if (!partial) return null;
  readGivenParts(row, market, partial);
  const missing = columnsOf(partial).find((column) => row.isBlank(column)) ?? '';
  return row.dropMarket(market.kind, missing, `is missing, so the ${market.kind} market is left out`);
}

function columnsOf(quote: QuoteColumns): string[] {
  const prices = quote.prices.map(({ column }) => column);
  return quote.line === undefined ? prices : [quote.line, ...prices];
}

function readQuote(row: RowReader, market: MarketColumns, quote: QuoteColumns): ImportedMarket | null {
  const line = quote.line === undefined ? (market.fixedLine ?? null) : readLine(row, market, quote.line);
  const prices = quote.prices.flatMap((price) => readPrice(row, market, price) ?? []);
  return row.faulty ? null : { kind: market.kind, line, prices };
}

/** A malformed value is a fault in an incomplete market too: it shows that the row was damaged. */
function readGivenParts(row: RowReader, market: MarketColumns, quote: QuoteColumns): void {
  if (quote.line !== undefined && !row.isBlank(quote.line)) readLine(row, market, quote.line);
  for (const price of quote.prices) if (!row.isBlank(price.column)) readPrice(row, market, price);
}

function readLine(row: RowReader, market: MarketColumns, column: string): string | null {
  const quarters = row.quarters(column);
  if (quarters === null) return null;
  if (market.kind === 'total' && quarters <= 0) return row.refuse(column, 'is not a total (must be above 0)');
  return formatQuarters(market.lineIsForAway ? -quarters : quarters);
}

function readPrice(row: RowReader, market: MarketColumns, price: PriceColumn): ImportedPrice | null {
  if (market.odds === 'american') {
    const american = row.american(price.column);
    return american === null ? null : { outcome: price.outcome, american };
  }
  const decimal = row.decimalPrice(price.column);
  return decimal === null ? null : { outcome: price.outcome, decimal };
}

/** The shortest exact decimal; never `-0`. Quarters of a point print exactly, as they are binary fractions. */
function formatQuarters(quarters: number): string {
  return quarters === 0 ? '0' : String(quarters / 4);
}
