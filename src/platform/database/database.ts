import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Pool, QueryResultRow } from 'pg';
import { asUnavailable, leavesConnectionUsable } from './database-errors.js';
import { Snapshot } from './snapshot.js';

/**
 * Hot statements, outside any transaction of the application's: one round trip on a pooled connection, prepared under
 * their name (PgBouncer 1.21 and newer carry named statements in transaction mode). Everything else goes through
 * UnitOfWork or a TypeORM repository, which share the same pool.
 */
@Injectable()
export class Database {
  constructor(private readonly dataSource: DataSource) {}

  /** Runs one named statement. Throws SERVICE_UNAVAILABLE when Postgres cannot be reached. */
  async query<Row extends QueryResultRow>(
    name: string,
    text: string,
    values: unknown[] = [],
  ): Promise<Row[]> {
    // Not pool.query, which throws the connection away at every error: a deadlock's victim is one.
    const client = await this.pool.connect().catch((error: unknown) => {
      throw asUnavailable(error);
    });
    let broken: Error | undefined;
    client.on('error', ignore);
    try {
      const result = await client.query<Row>({ name, text, values });
      return result.rows;
    } catch (error) {
      if (!leavesConnectionUsable(error)) broken = error as Error;
      throw asUnavailable(error);
    } finally {
      client.removeListener('error', ignore);
      client.release(broken);
    }
  }

  /**
   * Lends one moment of the database, to read from only; a connection is taken for as long as `work` runs. With
   * `patienceMs` its statements may take so long each, where others are given up earlier.
   */
  async readSnapshot<T>(work: (snapshot: Snapshot) => Promise<T>, patienceMs?: number): Promise<T> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw asUnavailable(error);
    });
    let broken: Error | undefined;
    client.on('error', ignore);
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      if (patienceMs !== undefined) await client.query(`SET LOCAL statement_timeout = ${patienceMs}`);
      const result = await work(new Snapshot(client, patienceMs));
      await client.query('COMMIT');
      return result;
    } catch (error) {
      broken = error as Error; // and with the connection goes whatever the transaction still had open
      throw asUnavailable(error);
    } finally {
      client.removeListener('error', ignore);
      client.release(broken);
    }
  }

  /** The pool itself, for figures such as its waiting count. */
  get pool(): Pool {
    return (this.dataSource.driver as unknown as { master: Pool }).master;
  }
}

/** A connection lost while it is borrowed: the statement that it carries fails, which tells. */
function ignore(): void {
  return undefined;
}
