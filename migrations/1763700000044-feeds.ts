import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Feeds that are followed, what they said last, and what of it was not believed. */
export class Feeds1763700000044 implements MigrationInterface {
  name = 'Feeds1763700000044';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- One worker at a time follows a feed: the one that holds it until then, by the server's own time. A row stays when its
      -- feed is no longer followed, so that what came from it grows stale.
      CREATE TABLE feeds (
        source text PRIMARY KEY,
        holder uuid,
        held_until timestamptz,
        quota jsonb           -- what its provider has told of the calls that are left
      ) WITH (fillfactor = 50);

      CREATE TABLE feed_polls (
        source text NOT NULL REFERENCES feeds,
        kind text NOT NULL CHECK (kind IN ('schedule', 'odds', 'scores', 'results')),
        last_success_at timestamptz,
        last_error text,
        last_error_at timestamptz,
        failures int NOT NULL DEFAULT 0, -- since the last success
        PRIMARY KEY (source, kind)
      ) WITH (fillfactor = 50);

      -- What a feed said last of a game. Its repeating that is no news, whatever people have said since.
      CREATE TABLE feed_words (
        game_id uuid PRIMARY KEY REFERENCES games,
        score text,
        result text
      );

      CREATE TABLE feed_quarantine (
        id uuid PRIMARY KEY,
        source text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('schedule', 'odds', 'score', 'result')),
        external_id text NOT NULL, -- the game's in the feed; empty where none could be told
        game_id uuid REFERENCES games,
        reason text NOT NULL,
        details jsonb NOT NULL,
        first_seen_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        times int NOT NULL DEFAULT 1,
        status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'dismissed', 'accepted')),
        decided_by uuid REFERENCES users,
        decided_at timestamptz,
        decision_note text,
        CHECK ((status = 'open') = (decided_at IS NULL))
      );
      CREATE UNIQUE INDEX ux_feed_quarantine_open ON feed_quarantine (source, kind, external_id, reason) WHERE status = 'open';
      CREATE INDEX ix_feed_quarantine_game ON feed_quarantine (game_id) WHERE status = 'open';
      CREATE INDEX ix_feed_quarantine_list ON feed_quarantine (status, id);
      CREATE INDEX ix_feed_quarantine_decided_by ON feed_quarantine (decided_by) WHERE decided_by IS NOT NULL;

      -- Whether a feed offers it: such a market is suspended when its feed falls silent, an operator's own is not.
      ALTER TABLE markets ADD COLUMN of_feed boolean NOT NULL DEFAULT false;

      -- What waits for a fresh price: looked for at each answer of a feed.
      CREATE INDEX ix_markets_stale ON markets (game_id) WHERE suspended_by = 'feed_stale';
      -- What a feed may still give prices of, and what may be stale: looked for every few seconds. Not an index of fresh_at,
      -- which would make of each word of a feed more than one narrow row.
      CREATE INDEX ix_games_of_feed ON games (source, id) WHERE status IN ('scheduled', 'in_progress');
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX ix_games_of_feed;
      DROP INDEX ix_markets_stale;
      ALTER TABLE markets DROP COLUMN of_feed;
      DROP TABLE feed_quarantine, feed_words, feed_polls, feeds;
    `);
  }
}
