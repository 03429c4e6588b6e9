import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Reality checks: what a session was told of and has acknowledged, and how often it has to be. */
export class RealityChecks1763700000036 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE sessions
        ADD COLUMN checked_at timestamptz, -- when its last reality check was acknowledged; null: when it was opened
        -- What the strictest of the places asks in which it was used; null: it was used in none.
        ADD COLUMN check_minutes smallint CHECK (check_minutes > 0),
        ADD COLUMN ends_idle boolean NOT NULL DEFAULT false,
        ADD COLUMN zone text; -- IANA, of the first of them: tells what is night to its user

      ALTER TABLE session_settings
        ALTER COLUMN idle_seconds DROP NOT NULL,
        ADD COLUMN check_minutes smallint CHECK (check_minutes > 0),
        ADD CONSTRAINT session_settings_chosen CHECK (num_nonnulls(idle_seconds, check_minutes) > 0);

      -- What was told, or acknowledged before it could be. The key is what makes a check that is told twice one, however its
      -- time was moved meanwhile.
      CREATE TABLE reality_checks (
        session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
        counts_from timestamptz NOT NULL, -- the acknowledgement before, or the session's begin
        user_id uuid NOT NULL REFERENCES users,
        due_at timestamptz NOT NULL,
        told_at timestamptz NOT NULL,
        acknowledged_at timestamptz,
        PRIMARY KEY (session_id, counts_from),
        CHECK (due_at > counts_from AND acknowledged_at >= counts_from)
      );
      CREATE INDEX ix_reality_checks_user ON reality_checks (user_id, told_at);

      CREATE INDEX ix_payments_user_confirmed ON payments (user_id, confirmed_at) WHERE confirmed_at IS NOT NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX ix_payments_user_confirmed;
      DROP TABLE reality_checks;
      DELETE FROM session_settings WHERE idle_seconds IS NULL;
      ALTER TABLE session_settings DROP COLUMN check_minutes, ALTER COLUMN idle_seconds SET NOT NULL;
      ALTER TABLE sessions DROP COLUMN checked_at, DROP COLUMN check_minutes, DROP COLUMN ends_idle, DROP COLUMN zone;
    `);
  }
}
