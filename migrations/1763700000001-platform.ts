import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Floor 0: time, outbox, deadlines, idempotency, audit. */
export class Platform1763700000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- The time the rules go by, for SQL. With CLOCK_MODE=movable (never in production) the application replaces it
      -- by a version that adds clock_control.offset_ms.
      CREATE FUNCTION parley_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';

      CREATE TABLE clock_control (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        offset_ms bigint NOT NULL DEFAULT 0
      );
      INSERT INTO clock_control DEFAULT VALUES;

      -- Gates: a writer that depends on a thing staying open (a game, a week, a user) enters its gate for the length
      -- of its transaction; who closes the thing shuts the gate, which waits for those inside and holds the others
      -- off until it has committed. They are advisory locks, so a gate that thousands enter costs no row version.
      CREATE FUNCTION parley_gate_enter(subject uuid) RETURNS void LANGUAGE sql VOLATILE AS
        'SELECT pg_advisory_xact_lock_shared(uuid_hash_extended(subject, 7))';
      CREATE FUNCTION parley_gate_shut(subject uuid) RETURNS void LANGUAGE sql VOLATILE AS
        'SELECT pg_advisory_xact_lock(uuid_hash_extended(subject, 7))';

      CREATE TABLE outbox (
        id uuid PRIMARY KEY,
        topic text NOT NULL,
        payload jsonb NOT NULL,
        request_id text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      -- A queue: rows come and go, so the table must be vacuumed by count and not by share.
      ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

      CREATE TABLE processed_events (
        consumer text NOT NULL,
        event_id uuid NOT NULL,
        processed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (consumer, event_id)
      );
      CREATE INDEX ix_processed_events_cleanup ON processed_events USING brin (processed_at);

      CREATE TABLE deadlines (
        kind text NOT NULL,
        subject text NOT NULL,
        due_at timestamptz NOT NULL,
        fired_at timestamptz,              -- by the system's clock: when it was last handed to its queue
        done_at timestamptz,
        PRIMARY KEY (kind, subject)
      );
      CREATE INDEX ix_deadlines_due ON deadlines (due_at) WHERE done_at IS NULL;
      CREATE INDEX ix_deadlines_cleanup ON deadlines USING brin (done_at);

      CREATE TABLE idempotency_keys (
        user_id uuid NOT NULL,
        operation text NOT NULL,
        key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
        body_hash bytea NOT NULL,
        status smallint NOT NULL,
        response jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (user_id, operation, key)
      );
      CREATE INDEX ix_idempotency_keys_cleanup ON idempotency_keys USING brin (created_at);

      CREATE TABLE audit_log (
        id uuid PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        actor_id uuid,
        action text NOT NULL,
        subject_type text NOT NULL,
        subject_id text NOT NULL,
        details jsonb NOT NULL DEFAULT '{}',
        request_id text
      );
      CREATE INDEX ix_audit_log_subject ON audit_log (subject_type, subject_id, id);

      CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'PL000';
      END $$;
      CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE audit_log, idempotency_keys, deadlines, processed_events, outbox, clock_control;
      DROP FUNCTION refuse_change, parley_gate_shut, parley_gate_enter, parley_now;
    `);
  }
}
