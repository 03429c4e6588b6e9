import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Links that are mailed to prove who reads an address: to verify it, and to set a new password. */
export class MailLinks1763700000009 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE mail_links (
        id uuid PRIMARY KEY,
        purpose text NOT NULL CHECK (purpose IN ('email_verification', 'password_reset')),
        -- Null: nobody has the address that was given, and the row is there so that both cases are the same work. No foreign
        -- key for the same reason: checking it would take its time only where there is a user.
        user_id uuid,
        requested_at timestamptz NOT NULL,
        secret_hash bytea, -- SHA-256 of the secret in the mail and of the address; made when the mail is sent
        expires_at timestamptz,
        sent_at timestamptz,
        used_at timestamptz, -- used, or of no use any more
        CONSTRAINT mail_links_prepared CHECK ((secret_hash IS NULL) = (expires_at IS NULL))
      );
      CREATE INDEX ix_mail_links_user ON mail_links (user_id, purpose, requested_at);
      CREATE INDEX ix_mail_links_cleanup ON mail_links (requested_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE mail_links');
  }
}
