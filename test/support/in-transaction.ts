import type { PoolClient } from 'pg';
import type { System } from './system.js';

/** On a connection of the test's own; what it threw has changed nothing. */
export async function inTransaction<T>(
  { db }: Pick<System, 'db'>,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await db.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}
