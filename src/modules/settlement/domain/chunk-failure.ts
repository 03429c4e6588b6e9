const CHUNK = /^chunk (\d+)$/;

/**
 * Which chunk an error of Postgres is about, and what is told of it: the SQLSTATE, table and constraint, which hold no values, as
 * messages may. Null for an error that came before a chunk was claimed.
 */
export function chunkFailure(error: unknown): { number: number; error: string } | null {
  const { driverError } = error as { driverError?: Partial<Record<string, unknown>> };
  const [, number] = CHUNK.exec(String(driverError?.['detail'])) ?? [];
  if (number === undefined) return null;
  const told = ['code', 'table', 'constraint'].map((key) => driverError?.[key]).filter(Boolean);
  return { number: Number(number), error: told.map(String).join(' ') };
}
