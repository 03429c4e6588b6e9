import { DiscoveryService } from '@nestjs/core';
import type { EntityManager } from 'typeorm';
import type { JsonRow, Snapshot } from '../database/snapshot.js';

/** One file of the export: its name without `.json`, and what stands in it. */
export interface PersonalSection {
  readonly file: string;
  /** Read row by row when the file is written, not before. */
  readonly rows: AsyncIterable<JsonRow>;
}

/** Makes sections of statements whose one parameter is the user's id. */
export function sectionsOf(
  snapshot: Snapshot,
  userId: string,
): (file: string, sql: string) => PersonalSection {
  return (file, sql) => ({ file, rows: snapshot.rows(sql, [userId]) });
}

/** A table that outlives its user: its rows keep the user's id, which by then is a pseudonym. */
export interface KeptTable {
  readonly table: string;
  readonly why: string;
}

/**
 * What a module holds about people. Every table with a user's id in it belongs to exactly one holder: a test reads the
 * catalogue of the database and fails for one that nobody claims.
 */
export interface PersonalDataHolder {
  /** Tables whose rows are erased with the user, or blanked. */
  readonly tables: readonly string[];
  readonly kept: readonly KeptTable[];
  /** Everything that is held about the user, secrets (hashes, keys) left out, other people's data as well. */
  exportOf(snapshot: Snapshot, userId: string): readonly PersonalSection[];
  /** Joins the erasure's transaction. Doing it twice does it once. */
  erase(manager: EntityManager, userId: string): Promise<void>;
  /** Blind indexes of what the person would be known by if they came again: addresses, numbers. */
  identitiesOf?(manager: EntityManager, userId: string): Promise<Buffer[]>;
  /** Before anything is erased: notes who must be known again. `identities` are those that all holders know. */
  remember?(manager: EntityManager, userId: string, identities: readonly Buffer[]): Promise<void>;
  /** What must be settled before the user may vanish, as a word for the audit; null when nothing. */
  openMatter?(manager: EntityManager, userId: string): Promise<string | null>;
}

/** Marks a provider that is a PersonalDataHolder: export and erasure ask it. */
export const HoldsPersonalData = DiscoveryService.createDecorator();
