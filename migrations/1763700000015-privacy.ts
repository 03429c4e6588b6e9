import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People's own data: exports, who must be known again after an erasure, and devices for push. */
export class Privacy1763700000015 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE data_exports (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'ready')),
        attempt int NOT NULL DEFAULT 0,    -- each worker that takes it up begins anew, under the next number
        sections_done int NOT NULL DEFAULT 0,
        sections_total int,
        bytes bigint NOT NULL DEFAULT 0,
        requested_at timestamptz NOT NULL,
        touched_at timestamptz NOT NULL,   -- of the last sign of life
        ready_at timestamptz,
        expires_at timestamptz,
        CHECK ((status = 'ready') = (ready_at IS NOT NULL)),
        CHECK ((status = 'ready') = (expires_at IS NOT NULL))
      );
      CREATE INDEX ix_data_exports_user ON data_exports (user_id, requested_at);
      CREATE UNIQUE INDEX ux_data_exports_unfinished ON data_exports (user_id) WHERE status <> 'ready';
      CREATE INDEX ix_data_exports_expiry ON data_exports (expires_at);

      -- The zip, encrypted piece by piece, so that any process can write it and any other serve it.
      CREATE TABLE data_export_chunks (
        export_id uuid NOT NULL REFERENCES data_exports ON DELETE CASCADE,
        attempt int NOT NULL,
        number int NOT NULL,
        data encrypted NOT NULL,
        PRIMARY KEY (export_id, attempt, number)
      );
      ALTER TABLE data_export_chunks ALTER COLUMN data SET STORAGE EXTERNAL; -- ciphertext does not compress

      CREATE TABLE data_export_links (
        token_hash bytea PRIMARY KEY,
        export_id uuid NOT NULL REFERENCES data_exports ON DELETE CASCADE,
        created_at timestamptz NOT NULL
      );
      CREATE INDEX ix_data_export_links_export ON data_export_links (export_id, created_at);

      -- Who was erased while excluded or banned: the blind index of each email and number, until the bar ends.
      CREATE TABLE barred_identities (
        identity bytea NOT NULL,
        user_id uuid NOT NULL REFERENCES users,
        reason text NOT NULL CHECK (reason IN ('self_exclusion', 'ban')),
        ends_at timestamptz,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (identity, user_id, reason)
      );
      CREATE INDEX ix_barred_identities_user ON barred_identities (user_id);
      CREATE INDEX ix_barred_identities_end ON barred_identities (ends_at);

      CREATE TABLE devices (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        session_id uuid NOT NULL,          -- no foreign key: sessions are forgotten on their own
        platform text NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
        token text NOT NULL CHECK (length(token) BETWEEN 1 AND 4096),
        token_hash bytea NOT NULL,         -- a token may be longer than an index entry
        app_version text,
        locale text,
        created_at timestamptz NOT NULL,
        registered_at timestamptz NOT NULL,
        CONSTRAINT ux_devices_token UNIQUE (token_hash)
      );
      CREATE INDEX ix_devices_user ON devices (user_id, registered_at, id);
      CREATE INDEX ix_devices_session ON devices (session_id);
      CREATE INDEX ix_devices_cleanup ON devices (registered_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'DROP TABLE devices, barred_identities, data_export_links, data_export_chunks, data_exports',
    );
  }
}
