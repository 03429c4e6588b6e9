import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Settlements: one a game and version of its result, cut into chunks of pools. */
export class Settlement1763700000006 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE settlements (
        id uuid PRIMARY KEY,
        game_id uuid NOT NULL REFERENCES games,
        week_id int NOT NULL,
        result_version int NOT NULL,
        status text NOT NULL CHECK (status IN ('running', 'done', 'superseded')),
        starts_at timestamptz NOT NULL,
        market_ids uuid[] NOT NULL,
        grades jsonb NOT NULL,
        chunks_total int NOT NULL,
        created_at timestamptz NOT NULL,
        completed_at timestamptz,
        CONSTRAINT ux_settlements_game_version UNIQUE (game_id, result_version, week_id)
      );
      CREATE INDEX ix_settlements_week_running ON settlements (week_id) WHERE status = 'running';

      CREATE TABLE settlement_chunks (
        settlement_id uuid NOT NULL REFERENCES settlements,
        number int NOT NULL,
        pool_ids uuid[] NOT NULL,
        bets int NOT NULL,
        done_at timestamptz,
        PRIMARY KEY (settlement_id, number)
      );
      CREATE INDEX ix_settlement_chunks_left ON settlement_chunks (settlement_id, number) WHERE done_at IS NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE settlement_chunks, settlements');
  }
}
