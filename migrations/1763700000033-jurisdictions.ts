import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rules by place: which of them were in force when, and whose age is known. */
export class Jurisdictions1763700000033 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- What config/jurisdictions.yml said, from the first process that read it.
      CREATE TABLE jurisdiction_versions (
        version varchar(32) COLLATE "C" PRIMARY KEY,
        content_hash bytea NOT NULL CHECK (length(content_hash) = 32),
        content jsonb NOT NULL,
        read_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE TRIGGER jurisdiction_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON jurisdiction_versions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      -- When somebody other than the user has shown the date of birth to be true.
      ALTER TABLE users ADD COLUMN age_verified_at timestamptz;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE users DROP COLUMN age_verified_at;
      DROP TABLE jurisdiction_versions;
    `);
  }
}
