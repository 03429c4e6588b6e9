import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Markers of harm: what people did each day, how it scores, and who is shown to the compliance team. */
export class HarmMarkers1763700000037 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- The night of one day, UTC: who was looked at so far. Whoever works at it holds its row.
      CREATE TABLE harm_runs (
        day date PRIMARY KEY,
        started_at timestamptz NOT NULL,
        completed_at timestamptz,
        reached uuid, -- of the people of the day, in the order of their ids
        people int NOT NULL DEFAULT 0,
        flagged int NOT NULL DEFAULT 0
      );

      -- Written once, by the night; who did nothing has no row.
      CREATE TABLE harm_days (
        user_id uuid NOT NULL REFERENCES users,
        day date NOT NULL,
        bets int NOT NULL,
        night_bets int NOT NULL,
        staked bigint NOT NULL, -- credits
        chasing_bets int NOT NULL,
        payments int NOT NULL,
        declined int NOT NULL,
        paid_in_while_withdrawing int NOT NULL,
        checks int NOT NULL,
        score int NOT NULL,
        markers jsonb NOT NULL, -- those that were shown, each with its numbers
        PRIMARY KEY (user_id, day)
      );
      CREATE INDEX ix_harm_days_cleanup ON harm_days USING brin (day);

      -- Somebody who is to be looked at by a person, with the latest numbers while nobody has decided.
      CREATE TABLE harm_flags (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        first_day date NOT NULL,
        day date NOT NULL,
        score int NOT NULL,
        markers jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        decided_at timestamptz,
        decided_by uuid REFERENCES users,
        decision text CHECK (decision IN ('contacted', 'limited', 'referred', 'dismissed')),
        decision_note text, -- erased with the user
        CHECK (num_nonnulls(decided_at, decided_by, decision) IN (0, 3)),
        CHECK (decision_note IS NULL OR decided_at IS NOT NULL),
        CHECK (day >= first_day)
      );
      CREATE UNIQUE INDEX ux_harm_flags_open ON harm_flags (user_id) WHERE decided_at IS NULL;
      CREATE INDEX ix_harm_flags_queue ON harm_flags (id) WHERE decided_at IS NULL;
      CREATE INDEX ix_harm_flags_user ON harm_flags (user_id, id);

      CREATE INDEX ix_payments_created ON payments (created_at); -- who paid on a day
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX ix_payments_created;
      DROP TABLE harm_flags, harm_days, harm_runs;
    `);
  }
}
