import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Holds expire each for itself; verifications of the ledger that operators ask for. */
export class LedgerUpkeep1763700000029 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- In the order in which they are walked, those of one moment as well.
      DROP INDEX ix_ledger_holds_due;
      CREATE INDEX ix_ledger_holds_due ON ledger_holds (expires_at, id) WHERE status = 'held' AND expires_at IS NOT NULL;

      DROP FUNCTION ledger_expire(int);
      -- Releases holds whose time is up, at most p_limit of those that come after one of them; one row for each that was
      -- looked at, with what kept it. It waits for nobody: a hold or an account that somebody else has in hand is left for
      -- the next time, so it can neither be stopped by one nor be part of a deadlock, in whatever order it takes them. And
      -- each is done under a savepoint: what fails of one is undone and told, and the others expire.
      CREATE FUNCTION ledger_expire(p_limit int, p_after_at timestamptz, p_after_id uuid)
      RETURNS TABLE (hold_id uuid, due_at timestamptz, problem text) LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off AS $$
      #variable_conflict use_column
      DECLARE
        v_hold ledger_holds;
        v_locked int;
        v_drawn record;
      BEGIN
        FOR v_hold IN
          SELECT h.* FROM ledger_holds h
          WHERE h.status = 'held' AND h.expires_at <= (SELECT parley_now()) AND (h.expires_at, h.id) > (p_after_at, p_after_id)
          ORDER BY h.expires_at, h.id LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED
        LOOP
          hold_id := v_hold.id;
          due_at := v_hold.expires_at;
          problem := NULL;
          BEGIN
            SELECT count(*) INTO v_locked FROM (
              SELECT FROM ledger_accounts a
              WHERE a.kind IN ('user_available', 'user_held') AND a.owner = v_hold.user_id::text
                AND a.currency = v_hold.currency
              FOR NO KEY UPDATE SKIP LOCKED) mine;
            IF v_locked = 2 THEN
              SELECT * INTO v_drawn FROM ledger_draw(
                v_hold, 'expiry:' || v_hold.id, sha256(uuid_send(v_hold.id)), 0,
                v_hold.amount - v_hold.captured - v_hold.released, 'user_available', v_hold.user_id::text, 'expiry', 'expired');
              problem := v_drawn.refusal;
            ELSE
              problem := 'its accounts are in use';
            END IF;
          EXCEPTION WHEN OTHERS THEN
            problem := SQLERRM;
          END;
          RETURN NEXT;
        END LOOP;
      END $$;
    `);
    await queryRunner.query(`
      CREATE TABLE ledger_verifications (
        id uuid PRIMARY KEY,
        requested_by uuid NOT NULL REFERENCES users,
        requested_at timestamptz NOT NULL,
        started_at timestamptz,
        finished_at timestamptz,
        report jsonb, -- what was found; null of one that could not be done
        CHECK (report IS NULL OR finished_at IS NOT NULL)
      );
      -- One at a time.
      CREATE UNIQUE INDEX ux_ledger_verifications_open ON ledger_verifications ((true)) WHERE finished_at IS NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE ledger_verifications');
    await queryRunner.query(`
      DROP FUNCTION ledger_expire(int, timestamptz, uuid);
      CREATE FUNCTION ledger_expire(p_limit int) RETURNS int LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off AS $$
      DECLARE
        v_hold ledger_holds;
        v_expired int := 0;
        v_drawn record;
      BEGIN
        FOR v_hold IN
          SELECT * FROM (
            SELECT * FROM ledger_holds WHERE status = 'held' AND expires_at <= (SELECT parley_now())
            ORDER BY expires_at LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED) due
          ORDER BY user_id, currency -- in which order others lock accounts
        LOOP
          SELECT * INTO v_drawn FROM ledger_draw(
            v_hold, 'expiry:' || v_hold.id, sha256(uuid_send(v_hold.id)), 0, v_hold.amount - v_hold.captured - v_hold.released,
            'user_available', v_hold.user_id::text, 'expiry', 'expired');
          IF v_drawn.refusal IS NOT NULL THEN
            RAISE EXCEPTION 'hold % cannot expire: %', v_hold.id, v_drawn.refusal;
          END IF;
          v_expired := v_expired + 1;
        END LOOP;
        RETURN v_expired;
      END $$;

      DROP INDEX ix_ledger_holds_due;
      CREATE INDEX ix_ledger_holds_due ON ledger_holds (expires_at) WHERE status = 'held' AND expires_at IS NOT NULL;
    `);
  }
}
