import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sessions that know their device, may be bound to a key and go idle; lost refresh answers, told again for seconds. */
export class Sessions1763700000008 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE sessions
        ADD COLUMN device text, -- what the user agent names: 'Firefox on Linux'
        ADD COLUMN proved_at timestamptz, -- when the user proved themselves again in it; null: when it was opened
        ADD COLUMN jkt text CHECK (length(jkt) = 43); -- RFC 7638 thumbprint of the key that the session is bound to
      COMMENT ON COLUMN sessions.last_used_at IS 'Last activity, at most a minute late; refreshes are none.';
      DROP INDEX ix_sessions_user_live;
      CREATE INDEX ix_sessions_user ON sessions (user_id, id); -- ended ones too: they tell which devices are known

      -- At most the last answer of each bound session, encrypted under the refresh token that it was given for.
      CREATE TABLE refresh_answers (
        session_id uuid PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
        token_hash bytea NOT NULL,
        sealed bytea NOT NULL,
        answered_at timestamptz NOT NULL
      );

      CREATE TABLE session_settings (
        user_id uuid PRIMARY KEY REFERENCES users,
        idle_seconds integer NOT NULL CHECK (idle_seconds >= 60)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE session_settings, refresh_answers;
      DROP INDEX ix_sessions_user;
      CREATE INDEX ix_sessions_user_live ON sessions (user_id) WHERE ended_at IS NULL;
      COMMENT ON COLUMN sessions.last_used_at IS NULL;
      ALTER TABLE sessions DROP COLUMN device, DROP COLUMN proved_at, DROP COLUMN jkt;
    `);
  }
}
