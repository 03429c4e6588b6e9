import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What every way in and every part of an account stands on: accounts without an email, roles, closing, who asked. */
export class Accounts1763700000007 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE users
        ALTER COLUMN email DROP NOT NULL, -- registered by phone, or by a provider that tells none
        ADD COLUMN email_verified_at timestamptz,
        ADD COLUMN banned_until timestamptz, -- null while banned: for good
        ADD COLUMN closing_at timestamptz, -- when personal data is to be erased; null when the user stays
        DROP CONSTRAINT users_role_check,
        DROP CONSTRAINT users_status_check,
        ADD CONSTRAINT users_role_check CHECK (role IN ('user', 'seller', 'moderator', 'compliance', 'admin')),
        ADD CONSTRAINT users_status_check CHECK (status IN ('active', 'banned', 'erased')),
        ADD CONSTRAINT users_ban_check CHECK (banned_until IS NULL OR status = 'banned');

      ALTER TABLE sessions
        ADD COLUMN proof text NOT NULL DEFAULT 'password' CHECK (proof IN ('password', 'otp', 'google', 'apple')),
        ADD COLUMN second_factor boolean NOT NULL DEFAULT false, -- a second factor was proved in it
        ADD COLUMN address inet,
        ADD COLUMN fingerprint text,
        DROP CONSTRAINT sessions_end_reason_check,
        ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN ('logout', 'refresh_reused', 'banned', 'expired',
          'idle', 'ended_by_user', 'password_changed', 'role_changed', 'erased'));
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE sessions
        DROP COLUMN proof, DROP COLUMN second_factor, DROP COLUMN address, DROP COLUMN fingerprint,
        DROP CONSTRAINT sessions_end_reason_check,
        ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN ('logout', 'refresh_reused', 'banned', 'expired'));
      ALTER TABLE users
        DROP CONSTRAINT users_ban_check,
        DROP CONSTRAINT users_status_check,
        DROP CONSTRAINT users_role_check,
        ADD CONSTRAINT users_role_check CHECK (role IN ('user', 'admin')),
        ADD CONSTRAINT users_status_check CHECK (status IN ('active', 'banned')),
        DROP COLUMN email_verified_at, DROP COLUMN banned_until, DROP COLUMN closing_at,
        ALTER COLUMN email SET NOT NULL;
    `);
  }
}
