import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Why someone is banned, what users report of each other, and the audit log by whatever it is searched for. */
export class Moderation1763700000013 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE users
        ADD COLUMN ban_reason text,
        ADD CONSTRAINT users_ban_reason_check CHECK (ban_reason IS NULL OR status = 'banned');
      CREATE INDEX ix_users_role ON users (role, id);
      CREATE INDEX ix_users_status ON users (status, id);

      -- A report is about something of some type (a user now) and thereby about the user whose it is.
      CREATE TABLE reports (
        id uuid PRIMARY KEY,
        reporter_id uuid NOT NULL REFERENCES users,
        subject_type text NOT NULL CHECK (subject_type IN ('user')),
        subject_id text NOT NULL,
        user_id uuid NOT NULL REFERENCES users,
        reason text NOT NULL CHECK (reason IN ('spam', 'harassment', 'hate', 'threats', 'impersonation', 'fraud',
          'cheating', 'underage', 'self_harm', 'other')),
        note text,
        status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'dismissed', 'warned', 'banned')),
        created_at timestamptz NOT NULL,
        decided_at timestamptz,
        decided_by uuid REFERENCES users,
        decision_note text,
        CHECK (reporter_id <> user_id),
        CHECK ((status = 'open') = (decided_at IS NULL)),
        CHECK ((status = 'open') = (decided_by IS NULL))
      );
      CREATE UNIQUE INDEX ux_reports_open ON reports (reporter_id, subject_type, subject_id) WHERE status = 'open';
      CREATE INDEX ix_reports_queue ON reports (status, id);
      CREATE INDEX ix_reports_subject ON reports (subject_type, subject_id, id);
      CREATE INDEX ix_reports_reporter ON reports (reporter_id, created_at);
      CREATE INDEX ix_reports_user ON reports (user_id);

      DROP INDEX ix_audit_log_subject;
      CREATE INDEX ix_audit_log_at ON audit_log (at, id);
      CREATE INDEX ix_audit_log_subject ON audit_log (subject_id, at, id);
      CREATE INDEX ix_audit_log_actor ON audit_log (actor_id, at, id) WHERE actor_id IS NOT NULL;
      CREATE INDEX ix_audit_log_action ON audit_log (action, at, id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX ix_audit_log_at, ix_audit_log_subject, ix_audit_log_actor, ix_audit_log_action;
      CREATE INDEX ix_audit_log_subject ON audit_log (subject_type, subject_id, id);
      DROP TABLE reports;
      DROP INDEX ix_users_role, ix_users_status;
      ALTER TABLE users DROP CONSTRAINT users_ban_reason_check, DROP COLUMN ban_reason;
    `);
  }
}
