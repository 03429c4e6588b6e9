import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit log sealed into a chain of hashes, and found by request and by type of subject. */
export class AuditSeals1763700000032 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- Entries are sealed in the order (tx, id). tx is the number of the transaction that wrote the entry: of those below
      -- pg_snapshot_xmin every one has ended, so nothing can come in before what is sealed, however long a transaction takes.
      -- Transactions are numbered anew in a cluster into which a dump is loaded: audit_rebase puts them behind those before.
      CREATE FUNCTION audit_offset() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 0::bigint';

      -- What there is by now was committed before all that comes, and is read in the order of its ids.
      ALTER TABLE audit_log ADD COLUMN tx bigint NOT NULL DEFAULT 0;
      ALTER TABLE audit_log ALTER COLUMN tx SET DEFAULT pg_current_xact_id()::text::bigint + audit_offset();
      CREATE UNIQUE INDEX ux_audit_log_tx ON audit_log (tx, id);
      CREATE INDEX ix_audit_log_request ON audit_log (request_id, at, id) WHERE request_id IS NOT NULL;
      CREATE INDEX ix_audit_log_subject_type ON audit_log (subject_type, at, id);

      CREATE TABLE audit_seals (
        number bigint PRIMARY KEY CHECK (number > 0),
        first_tx bigint NOT NULL,
        first_id uuid NOT NULL,
        last_tx bigint NOT NULL,
        last_id uuid NOT NULL,
        entries int NOT NULL CHECK (entries > 0),
        digests bytea NOT NULL,            -- the SHA-256 of each entry, in order: tells which one is not as it was
        entries_hash bytea NOT NULL,       -- the SHA-256 of the digests
        previous bytea REFERENCES audit_seals (hash), -- null of the first alone
        hash bytea NOT NULL UNIQUE,        -- the SHA-256 of all of the above but the digests
        sealed_at timestamptz NOT NULL,
        UNIQUE NULLS NOT DISTINCT (previous), -- a chain does not fork
        CHECK (octet_length(digests) = 32 * entries),
        CHECK ((number = 1) = (previous IS NULL))
      );
      ALTER TABLE audit_seals ALTER COLUMN digests SET STORAGE EXTERNAL; -- hashes do not compress
      CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      -- Also for sessions that turn other triggers off (session_replication_role).
      ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_append_only;
      ALTER TABLE audit_seals ENABLE ALWAYS TRIGGER audit_seals_append_only;

      -- Called before anything writes, whenever the schema is brought up to date. Changes nothing but in a cluster whose
      -- transactions have lower numbers than the log's.
      CREATE FUNCTION audit_rebase() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_next bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint + audit_offset();
        v_last bigint := greatest((SELECT max(tx) FROM audit_log), (SELECT max(last_tx) FROM audit_seals));
      BEGIN
        IF v_last >= v_next THEN
          EXECUTE format('CREATE OR REPLACE FUNCTION audit_offset() RETURNS bigint LANGUAGE sql STABLE AS ''SELECT %s::bigint''',
                         audit_offset() + v_last - v_next + 1);
        END IF;
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION audit_rebase;
      DROP TABLE audit_seals;
      ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only;
      DROP INDEX ix_audit_log_subject_type, ix_audit_log_request, ux_audit_log_tx;
      ALTER TABLE audit_log DROP COLUMN tx;
      DROP FUNCTION audit_offset;
    `);
  }
}
