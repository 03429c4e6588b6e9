import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';

/** A column of the domain `encrypted`, with the primary key by whose parts its ciphertexts are bound to their rows. */
export interface EncryptedColumn {
  readonly table: string;
  readonly column: string;
  readonly primaryKey: readonly { readonly name: string; readonly type: string }[];
}

interface EncryptedValue {
  /** The parts of the primary key as text. */
  readonly key: string[];
  readonly value: Buffer;
}

@Injectable()
export class KeyRotationRepository {
  constructor(private readonly database: Database) {}

  /** Every encrypted column of the schema, as the catalogue knows them: none can be forgotten. */
  async columns(): Promise<EncryptedColumn[]> {
    return await this.database.query<EncryptedColumn>(
      'key_rotation.columns',
      `SELECT c.relname AS "table", a.attname AS "column",
         (SELECT json_agg(json_build_object('name', k.attname, 'type', format_type(k.atttypid, k.atttypmod)) ORDER BY p.n)
          FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS p (attnum, n)
          JOIN pg_attribute k ON k.attnum = p.attnum
          WHERE i.indrelid = c.oid AND i.indisprimary AND k.attrelid = c.oid) AS "primaryKey"
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
       WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND NOT a.attisdropped
         AND t.typname = 'encrypted' AND t.typnamespace = c.relnamespace
       ORDER BY 1, 2`,
    );
  }

  /** The next `limit` values after a row, in the order of the primary key, that do not begin with this header. */
  async nextNotUnder(
    header: Buffer,
    { table, column, primaryKey }: EncryptedColumn,
    after: readonly string[] | null,
    limit: number,
  ): Promise<EncryptedValue[]> {
    const names = primaryKey.map(({ name }) => quoted(name));
    const bounds = primaryKey.map(({ type }, n) => `$${n + 3}::text::${type}`);
    return await this.database.query<EncryptedValue>(
      `key_rotation.next.${table}.${column}.${after === null ? 'first' : 'after'}`,
      `SELECT ARRAY[${names.map((name) => `${name}::text`).join()}] AS key, ${quoted(column)} AS value
       FROM ${quoted(table)}
       WHERE substring(${quoted(column)}::bytea FROM 1 FOR octet_length($1::bytea)) <> $1
         ${after === null ? '' : `AND (${names.join()}) > (${bounds.join()})`}
       ORDER BY ${names.join()} LIMIT $2`,
      [header, limit, ...(after ?? [])],
    );
  }

  /** Puts new ciphertexts in the place of old ones; where a row was changed meanwhile it stays. How many were put. */
  async replace(
    { table, column, primaryKey }: EncryptedColumn,
    changes: readonly (EncryptedValue & { renewed: Buffer })[],
  ): Promise<number> {
    const parts = primaryKey.map(({ name, type }, n) => ({ name: quoted(name), type, parameter: n + 3 }));
    const rows = await this.database.query(
      `key_rotation.replace.${table}.${column}`,
      `UPDATE ${quoted(table)} t SET ${quoted(column)} = n.renewed
       FROM unnest($1::bytea[], $2::bytea[], ${parts.map(({ parameter }) => `$${parameter}::text[]`).join()})
         AS n (old, renewed, ${parts.map(({ parameter }) => `k${parameter}`).join()})
       WHERE ${parts.map(({ name, type, parameter }) => `t.${name} = n.k${parameter}::${type}`).join(' AND ')}
         AND t.${quoted(column)}::bytea = n.old
       RETURNING 1`,
      [
        changes.map(({ value }) => value),
        changes.map(({ renewed }) => renewed),
        ...parts.map((_, n) => changes.map(({ key }) => key[n])),
      ],
    );
    return rows.length;
  }
}

/** A name as the catalogue gives it, for a statement. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
