import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One-time codes that nobody but who asked for them can use up, and how many messages go out in all. */
export class ChallengeSecrets1763700000017 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- Of what must come with the code; null in those of before this column, which prove nothing any more.
      ALTER TABLE otp_challenges
        ADD COLUMN secret_hash bytea CHECK (octet_length(secret_hash) = 32),
        ADD COLUMN known_device boolean NOT NULL DEFAULT false; -- asked for on a device the number was signed in on
      CREATE UNIQUE INDEX ux_otp_challenges_secret ON otp_challenges (secret_hash);

      -- Messages asked for in each hour, to all numbers together.
      CREATE TABLE otp_hours (
        hour timestamptz PRIMARY KEY,
        messages int NOT NULL CHECK (messages > 0)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE otp_hours;
      DROP INDEX ux_otp_challenges_secret;
      ALTER TABLE otp_challenges DROP COLUMN secret_hash, DROP COLUMN known_device;
    `);
  }
}
