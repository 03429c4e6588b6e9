import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A chunk of a settlement is claimed, graded and ended in one call. */
export class SettlementChunks1763700000030 implements MigrationInterface {
  name = 'SettlementChunks1763700000030';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- Grades a chunk that nobody else works on, locked until the transaction ends: any one, so that workers on different games
      -- of an afternoon do not all ask for the same pools. Answers how many bets changed; null when there is no chunk, or when the
      -- settlement is running no more. It cannot be superseded while a chunk of it is graded.
      CREATE FUNCTION settlement_grade_chunk(p_settlement uuid, p_now timestamptz) RETURNS int
      LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        s settlements;
        c settlement_chunks;
        v_changed int;
      BEGIN
        SELECT * INTO s FROM settlements WHERE id = p_settlement FOR SHARE;
        IF s.status IS DISTINCT FROM 'running' THEN RETURN NULL; END IF;
        SELECT * INTO c FROM settlement_chunks WHERE settlement_id = p_settlement AND done_at IS NULL
        ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED;   -- ix_settlement_chunks_left
        IF NOT FOUND THEN RETURN NULL; END IF;

        v_changed := bets_grade(s.id, s.week_id, c.pool_ids, s.market_ids, s.starts_at, s.grades, p_now, EXISTS (
          SELECT FROM settlements e WHERE e.game_id = s.game_id AND e.result_version < s.result_version));
        UPDATE settlement_chunks SET done_at = p_now WHERE settlement_id = c.settlement_id AND number = c.number;
        RETURN v_changed;
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION settlement_grade_chunk');
  }
}
