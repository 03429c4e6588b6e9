import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Links to exports that end with the session they were given to, and a reason to end sessions. */
export class ProvedSessions1763700000018 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DELETE FROM data_export_links;       -- nobody has written down to whom they were given; another costs one request
      ALTER TABLE data_export_links
        ADD COLUMN session_id uuid NOT NULL; -- no foreign key: sessions are forgotten on their own
      CREATE INDEX ix_data_export_links_session ON data_export_links (session_id);

      ALTER TABLE sessions
        DROP CONSTRAINT sessions_end_reason_check,
        ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN ('logout', 'refresh_reused', 'banned', 'expired',
          'idle', 'ended_by_user', 'password_changed', 'role_changed', 'erased', 'too_many', 'second_factor_removed'));
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      UPDATE sessions SET end_reason = 'role_changed' WHERE end_reason = 'second_factor_removed';
      ALTER TABLE sessions
        DROP CONSTRAINT sessions_end_reason_check,
        ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN ('logout', 'refresh_reused', 'banned', 'expired',
          'idle', 'ended_by_user', 'password_changed', 'role_changed', 'erased', 'too_many'));
      DROP INDEX ix_data_export_links_session;
      ALTER TABLE data_export_links DROP COLUMN session_id;
    `);
  }
}
