import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who may lift a ban, a reason to end sessions that are too many, and no way back from a provider without a challenge. */
export class ReviewedAccounts1763700000016 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- Whether it took users.ban to set the ban, which it then takes to lift it, however little of it is left.
      ALTER TABLE users ADD COLUMN long_ban boolean NOT NULL DEFAULT false;
      UPDATE users SET long_ban = true WHERE status = 'banned'; -- nobody has written down which they were
      ALTER TABLE users ADD CONSTRAINT users_long_ban_check CHECK (NOT long_ban OR status = 'banned');

      ALTER TABLE sessions
        DROP CONSTRAINT sessions_end_reason_check,
        ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN ('logout', 'refresh_reused', 'banned', 'expired',
          'idle', 'ended_by_user', 'password_changed', 'role_changed', 'erased', 'too_many'));
      CREATE INDEX ix_sessions_user_live ON sessions (user_id, created_at, id) WHERE ended_at IS NULL;

      DELETE FROM oauth_requests WHERE challenge IS NULL;
      DELETE FROM oauth_tickets WHERE challenge IS NULL;
      ALTER TABLE oauth_requests ALTER COLUMN challenge SET NOT NULL;
      ALTER TABLE oauth_tickets ALTER COLUMN challenge SET NOT NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE oauth_tickets ALTER COLUMN challenge DROP NOT NULL;
      ALTER TABLE oauth_requests ALTER COLUMN challenge DROP NOT NULL;
      DROP INDEX ix_sessions_user_live;
      UPDATE sessions SET end_reason = 'expired' WHERE end_reason = 'too_many';
      ALTER TABLE sessions
        DROP CONSTRAINT sessions_end_reason_check,
        ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN ('logout', 'refresh_reused', 'banned', 'expired',
          'idle', 'ended_by_user', 'password_changed', 'role_changed', 'erased'));
      ALTER TABLE users DROP CONSTRAINT users_long_ban_check, DROP COLUMN long_ban;
    `);
  }
}
