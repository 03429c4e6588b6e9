import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PersonalDataService } from '../../src/platform/privacy/personal-data.service.js';
import { startSystem, type System } from '../support/system.js';

/** Columns that hold a user's id, by what they are called. */
const NAMES = String.raw`(^|_)(user|actor|owner|author|member|reporter|requester|follower|followee|blocker|blocked|muter|muted|seller|buyer|sender|recipient|subject)_id$|_by$|_by_id$`;

/** Every table in which a row belongs to somebody: by a foreign key, by a column's name, or by way of another such table. */
const TABLES_OF_PEOPLE = `
  WITH RECURSIVE keys AS (
    SELECT conrelid AS from_table, confrelid AS to_table FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0),
  people AS (
    SELECT 'users'::regclass::oid AS id
    UNION
    SELECT a.attrelid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'uuid'::regtype AND a.attname ~ '${NAMES}'
    UNION
    SELECT keys.from_table FROM keys JOIN people ON people.id = keys.to_table)
  SELECT id::regclass::text AS name FROM people ORDER BY 1`;

describe('what is held about people', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ worker: false });
  });
  afterAll(async () => system.stop());

  async function tablesOfPeople(): Promise<string[]> {
    const { rows } = await system.db.query<{ name: string }>(TABLES_OF_PEOPLE);
    return rows.map(({ name }) => name);
  }

  /** Tables that no module claims, and claims of tables that are not there or hold nobody's rows. */
  async function problems(): Promise<{ forgotten: string[]; unknown: string[]; twice: string[] }> {
    const { tables, kept } = system.app.get(PersonalDataService).claims();
    const claimed = [...tables, ...kept.map(({ table }) => table)];
    const found = await tablesOfPeople();
    return {
      forgotten: found.filter((name) => !claimed.includes(name)),
      unknown: claimed.filter((name) => !found.includes(name)),
      twice: claimed.filter((name, index) => claimed.indexOf(name) !== index),
    };
  }

  it('is claimed by one module each, to be erased or to be kept for a reason', async () => {
    expect((await tablesOfPeople()).length).toBeGreaterThan(30);
    expect(await problems()).toEqual({ forgotten: [], unknown: [], twice: [] });
    for (const { why } of system.app.get(PersonalDataService).claims().kept)
      expect(why.length).toBeGreaterThan(20);
  });

  it.each([
    ['by a foreign key', 'CREATE TABLE scratch (id uuid PRIMARY KEY, whose uuid REFERENCES users)'],
    ['by the name of a column', 'CREATE TABLE scratch (id uuid PRIMARY KEY, user_id uuid)'],
    ['by who did it', 'CREATE TABLE scratch (id uuid PRIMARY KEY, approved_by uuid)'],
    ['by way of another table', 'CREATE TABLE scratch (id uuid PRIMARY KEY, device uuid REFERENCES devices)'],
    [
      'by way of a partitioned one',
      'CREATE TABLE scratch (id int, sender_id uuid) PARTITION BY RANGE (id); CREATE TABLE scratch_1 PARTITION OF scratch DEFAULT',
    ],
  ])('is missed in a table that nobody claims: %s', async (_, statement) => {
    await system.db.query(statement);
    expect((await problems()).forgotten).toEqual(['scratch']);
    await system.db.query('DROP TABLE scratch');
    expect((await problems()).forgotten).toEqual([]);
  });

  it('is missed when a module claims a table that is gone', async () => {
    await system.db.query('ALTER TABLE devices RENAME TO gadgets');
    const { forgotten, unknown } = await problems();
    await system.db.query('ALTER TABLE gadgets RENAME TO devices');
    expect([forgotten, unknown]).toEqual([['gadgets'], ['devices']]);
  });
});
