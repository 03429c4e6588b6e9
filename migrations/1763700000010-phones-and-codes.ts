import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the key ring encrypts, people's telephone numbers, and the one-time codes sent to them. */
export class PhonesAndCodes1763700000010 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- A ciphertext of the key ring (version 1, key id, nonce, tag): no plaintext gets in, and rotate-keys finds the columns.
      CREATE DOMAIN encrypted AS bytea CHECK (octet_length(VALUE) > 30 AND get_byte(VALUE, 0) = 1);

      CREATE TABLE user_phones (
        user_id uuid PRIMARY KEY REFERENCES users,
        number encrypted NOT NULL, -- E.164
        number_index bytea NOT NULL CHECK (octet_length(number_index) = 32),
        verified_at timestamptz NOT NULL
      );
      CREATE UNIQUE INDEX ux_user_phones_number ON user_phones (number_index);

      -- One row each time a code is asked for. The worker makes the code when it sends; only its hash is here.
      CREATE TABLE otp_challenges (
        id uuid PRIMARY KEY,
        purpose text NOT NULL CHECK (purpose IN ('sign_in', 'change_number')),
        user_id uuid REFERENCES users, -- whose number it is to become
        number encrypted NOT NULL,
        number_index bytea NOT NULL CHECK (octet_length(number_index) = 32),
        code_hash bytea,
        salt bytea,
        tries int NOT NULL DEFAULT 0 CHECK (tries >= 0),
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        sent_at timestamptz,
        used_at timestamptz,
        CHECK ((purpose = 'change_number') = (user_id IS NOT NULL)),
        CHECK (num_nonnulls(code_hash, salt, expires_at) IN (0, 3)),
        CHECK (used_at IS NULL OR code_hash IS NOT NULL)
      );
      CREATE INDEX ix_otp_challenges_number ON otp_challenges (number_index, created_at);
      CREATE INDEX ix_otp_challenges_user ON otp_challenges (user_id) WHERE user_id IS NOT NULL;
      CREATE INDEX ix_otp_challenges_cleanup ON otp_challenges USING brin (created_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE otp_challenges;
      DROP TABLE user_phones;
      DROP DOMAIN encrypted;
    `);
  }
}
