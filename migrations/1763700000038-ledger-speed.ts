import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A transfer between two accounts in as few statements as there can be, and an operator's no to a withdrawal in one call. */
export class LedgerSpeed1763700000038 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- The same rule without an entry for each transfer that reverses none.
      ALTER TABLE ledger_transfers DROP CONSTRAINT ux_ledger_transfers_reverses;
      CREATE UNIQUE INDEX ux_ledger_transfers_reverses ON ledger_transfers (reverses) WHERE reverses IS NOT NULL;

      -- What last_entry was before the last change, for ledger_post_pair to take that back.
      ALTER TABLE ledger_accounts ADD COLUMN previous_entry bigint;

      -- Posts one transfer of p_amount from the first account to the second (from the second to the first when it is
      -- negative), as ledger_post does, and answers it. Null, with nothing changed, whenever there is more to it: an account
      -- is new or has too little, or the reference was used. Then ledger_post is asked, which says what it is.
      --
      -- It changes the balances at once instead of locking them first, and takes that back when it was too early: that is two
      -- statements fewer for nearly every transfer. Which entry is an account's next is drawn again when its row had to be waited
      -- for. Accounts of one row are waited for; of those that are spread over several the first that nobody holds is taken.
      --
      -- Its two entries sum to zero by the way they are written, and it says so for the rest of the transaction, so that
      -- ledger_check_transfer need not read them again.
      CREATE FUNCTION ledger_post_pair(
        p_reference text, p_hash bytea, p_type text, p_kind1 text, p_owner1 text, p_kind2 text, p_owner2 text,
        p_currency text, p_amount bigint, p_effective timestamptz DEFAULT NULL, p_metadata jsonb DEFAULT '{}',
        p_requested_by uuid DEFAULT NULL, p_hold uuid DEFAULT NULL
      ) RETURNS uuid LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
      DECLARE
        v_stripe1 smallint := 0;
        v_stripe2 smallint := 0;
        v_id1 uuid;
        v_after1 bigint;
        v_entry1 bigint;
        v_id2 uuid;
        v_after2 bigint;
        v_entry2 bigint;
        v_now timestamptz;
        v_transfer uuid;
      BEGIN
        IF (p_kind1 COLLATE "C", p_owner1 COLLATE "C") >= (p_kind2, p_owner2) THEN
          RAISE EXCEPTION 'the legs of % stand in the order of their accounts, one leg each', p_reference;
        END IF;
        IF p_kind1 IN ('clearing', 'fees') THEN
          v_stripe1 := ledger_take_stripe(p_kind1, p_owner1, p_currency);
        END IF;
        UPDATE ledger_accounts a
        SET balance = a.balance - p_amount, previous_entry = a.last_entry, last_entry = nextval('ledger_entry_id_seq')
        WHERE a.kind = p_kind1 AND a.owner = p_owner1 AND a.currency = p_currency AND a.stripe = v_stripe1
          AND (a.may_go_below_zero OR a.balance >= p_amount)
        RETURNING a.id, a.balance, a.last_entry INTO v_id1, v_after1, v_entry1;
        IF v_id1 IS NULL THEN
          RETURN NULL;
        END IF;
        IF p_kind2 IN ('clearing', 'fees') THEN
          v_stripe2 := ledger_take_stripe(p_kind2, p_owner2, p_currency);
        END IF;
        UPDATE ledger_accounts a
        SET balance = a.balance + p_amount, previous_entry = a.last_entry, last_entry = nextval('ledger_entry_id_seq')
        WHERE a.kind = p_kind2 AND a.owner = p_owner2 AND a.currency = p_currency AND a.stripe = v_stripe2
          AND (a.may_go_below_zero OR a.balance >= -p_amount)
        RETURNING a.id, a.balance, a.last_entry INTO v_id2, v_after2, v_entry2;
        IF v_id2 IS NOT NULL THEN
          v_now := parley_now();
          INSERT INTO ledger_transfers AS t (id, reference, input_hash, type, effective_at, created_at, metadata, hold_id,
                                             requested_by)
          VALUES (ledger_new_id(), p_reference, p_hash, p_type, coalesce(p_effective, v_now), v_now, p_metadata, p_hold,
                  p_requested_by)
          ON CONFLICT (reference) DO NOTHING RETURNING t.id INTO v_transfer;
        END IF;
        IF v_transfer IS NULL THEN
          UPDATE ledger_accounts a SET balance = a.balance + p_amount, last_entry = a.previous_entry WHERE a.id = v_id1;
          UPDATE ledger_accounts a SET balance = a.balance - p_amount, last_entry = a.previous_entry WHERE a.id = v_id2;
          RETURN NULL;
        END IF;
        INSERT INTO ledger_entries (id, transfer_id, leg, account_id, currency, amount, balance_after, created_at)
        VALUES (v_entry1, v_transfer, 1, v_id1, p_currency, -p_amount, v_after1, v_now),
               (v_entry2, v_transfer, 2, v_id2, p_currency, p_amount, v_after2, v_now);
        PERFORM set_config('parley.balanced', v_transfer || '2', true);
        IF p_kind1 IN ('user_available', 'user_held') OR p_kind2 IN ('user_available', 'user_held') THEN
          INSERT INTO outbox (id, topic, payload)
          VALUES (ledger_new_id(), 'wallet.changed', jsonb_build_object('userIds',
            CASE WHEN p_kind2 NOT IN ('user_available', 'user_held') THEN ARRAY[p_owner1]
                 WHEN p_kind1 NOT IN ('user_available', 'user_held') OR p_owner1 = p_owner2 THEN ARRAY[p_owner2]
                 ELSE ARRAY[p_owner1, p_owner2] END));
        END IF;
        RETURN v_transfer;
      END $$;

      -- Locks the first stripe that nobody holds, or waits for one of them. Null: there is no such account yet.
      CREATE FUNCTION ledger_take_stripe(p_kind text, p_owner text, p_currency text) RETURNS smallint LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_stripe smallint;
      BEGIN
        SELECT a.stripe INTO v_stripe FROM ledger_accounts a
        WHERE a.kind = p_kind AND a.owner = p_owner AND a.currency = p_currency LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
          SELECT a.stripe INTO v_stripe FROM ledger_accounts a
          WHERE a.kind = p_kind AND a.owner = p_owner AND a.currency = p_currency
            AND a.stripe = pg_backend_pid() % (SELECT k.stripes FROM ledger_account_kinds k WHERE k.kind = p_kind)
          FOR NO KEY UPDATE;
        END IF;
        RETURN v_stripe;
      END $$;

      -- At commit: the transfer of an entry is there, and its entries sum to zero in each currency. parley.balanced is the
      -- transfer of this transaction that was found so last, and how many legs it had then: they were all of 1 to that number,
      -- and an entry neither changes nor goes (with a savepoint that is rolled back the setting goes as well). So a leg that is
      -- one of them need not be looked at again. All others are: those of other transfers, and those that came later.
      CREATE OR REPLACE FUNCTION ledger_check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF left(current_setting('parley.balanced', true), 36) = NEW.transfer_id::text
           AND NEW.leg BETWEEN 1 AND substr(current_setting('parley.balanced', true), 37)::int THEN
          RETURN NULL;
        END IF;
        PERFORM ledger_prove_balanced(NEW.transfer_id);
        RETURN NULL;
      END $$;

      CREATE FUNCTION ledger_prove_balanced(p_transfer uuid) RETURNS void LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off AS $$
      DECLARE
        v_legs int;
      BEGIN
        IF NOT EXISTS (SELECT FROM ledger_transfers WHERE id = p_transfer)
           OR EXISTS (SELECT FROM ledger_entries WHERE transfer_id = p_transfer GROUP BY currency HAVING sum(amount) <> 0) THEN
          RAISE EXCEPTION 'the entries of transfer % do not sum to zero, or it is not there', p_transfer
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_entries_balanced';
        END IF;
        SELECT count(*) INTO v_legs FROM ledger_entries WHERE transfer_id = p_transfer
        HAVING min(leg) = 1 AND max(leg) = count(*);
        PERFORM set_config('parley.balanced', CASE WHEN v_legs IS NULL THEN '' ELSE p_transfer::text || v_legs END, true);
      END $$;
    `);
    await queryRunner.query(`
      CREATE OR REPLACE FUNCTION ledger_hold(
        p_reference text, p_hash bytea, p_user uuid, p_amount bigint, p_currency text, p_purpose text,
        p_expires_at timestamptz, p_metadata jsonb
      ) RETURNS TABLE (refusal text, details jsonb, transfer_id uuid, replayed boolean, hold_id uuid)
      LANGUAGE plpgsql VOLATILE AS $$
      #variable_conflict use_column
      BEGIN
        hold_id := ledger_new_id();
        replayed := false;
        transfer_id := ledger_post_pair(
          p_reference, p_hash, 'hold', 'user_available', p_user::text, 'user_held', p_user::text, p_currency, p_amount,
          p_metadata => p_metadata, p_hold => hold_id);
        IF transfer_id IS NULL THEN
          SELECT p.refusal, p.details, p.transfer_id, p.replayed INTO refusal, details, transfer_id, replayed FROM ledger_post(
            ARRAY[p_reference], ARRAY[p_hash], ARRAY['hold'], ARRAY[NULL::timestamptz], ARRAY[p_metadata], ARRAY[NULL::uuid],
            ARRAY[1, 1], ARRAY['user_available', 'user_held'], ARRAY[p_user::text, p_user::text],
            ARRAY[p_currency, p_currency], ARRAY[-p_amount, p_amount], p_hold => hold_id) p;
        END IF;
        IF replayed THEN
          SELECT h.id INTO hold_id FROM ledger_holds h WHERE h.reference = p_reference;
        ELSIF refusal IS NULL THEN
          INSERT INTO ledger_holds (id, reference, user_id, currency, amount, purpose, transfer_id, metadata, expires_at,
                                    created_at)
          VALUES (hold_id, p_reference, p_user, p_currency, p_amount, p_purpose, transfer_id, p_metadata, p_expires_at,
                  parley_now());
        END IF;
        RETURN NEXT;
      END $$;

      CREATE OR REPLACE FUNCTION ledger_draw(
        p_hold ledger_holds, p_reference text, p_hash bytea, p_amount bigint, p_back bigint, p_kind text, p_owner text,
        p_type text, p_end text
      ) RETURNS TABLE (refusal text, details jsonb, transfer_id uuid, replayed boolean) LANGUAGE plpgsql VOLATILE AS $$
      #variable_conflict use_column
      DECLARE
        v_user text := p_hold.user_id;
        v_own boolean := p_kind = 'user_available' AND p_owner = v_user;
        v_legs record;
      BEGIN
        replayed := false;
        -- To the user's own available money: with what goes back it is one leg. No account's kind comes after user_held.
        IF v_own OR p_back = 0 THEN
          transfer_id := ledger_post_pair(p_reference, p_hash, p_type, p_kind, p_owner, 'user_held', v_user, p_hold.currency,
                                          -p_amount - p_back, p_hold => p_hold.id);
        END IF;
        IF transfer_id IS NULL THEN
          SELECT array_agg(1) AS leg_of, array_agg(l.kind ORDER BY l.kind, l.owner) AS kinds,
                 array_agg(l.owner ORDER BY l.kind, l.owner) AS owners, array_agg(p_hold.currency) AS currencies,
                 array_agg(l.amount ORDER BY l.kind, l.owner) AS amounts
          INTO v_legs FROM (
            SELECT v.kind COLLATE "C" AS kind, v.owner COLLATE "C" AS owner, sum(v.amount)::bigint AS amount
            FROM (VALUES ('user_held', v_user, -p_amount - p_back), (p_kind, p_owner, p_amount),
                         ('user_available', v_user, p_back)) AS v (kind, owner, amount)
            WHERE v.amount <> 0 GROUP BY 1, 2) l;
          SELECT p.refusal, p.details, p.transfer_id, p.replayed INTO refusal, details, transfer_id, replayed FROM ledger_post(
            ARRAY[p_reference], ARRAY[p_hash], ARRAY[p_type], ARRAY[NULL::timestamptz], ARRAY['{}'::jsonb], ARRAY[NULL::uuid],
            v_legs.leg_of, v_legs.kinds, v_legs.owners, v_legs.currencies, v_legs.amounts, p_hold => p_hold.id) p;
        END IF;
        IF refusal IS NULL AND NOT replayed THEN
          UPDATE ledger_holds h
          SET captured = h.captured + p_amount, released = h.released + p_back,
              status = CASE WHEN h.captured + h.released + p_amount + p_back = h.amount THEN p_end ELSE h.status END,
              closed_at = CASE WHEN h.captured + h.released + p_amount + p_back = h.amount THEN parley_now() END
          WHERE h.id = p_hold.id;
        END IF;
        RETURN NEXT;
      END $$;

      -- With the hash that tells a repetition from another use of the reference: of the hold, as of an array in JSON.
      CREATE FUNCTION ledger_release(p_hold uuid, p_reference text)
      RETURNS TABLE (refusal text, details jsonb, transfer_id uuid, replayed boolean) LANGUAGE sql VOLATILE AS $$
        SELECT * FROM ledger_release(p_hold, p_reference, sha256(convert_to('["release","' || p_hold || '"]', 'UTF8')))
      $$;
    `);
    await queryRunner.query(`
      -- An operator's no: the withdrawal moves from one of p_from to p_to, its money is available again, its user hears of
      -- it and the audit log has it. Answers the withdrawal, or why not: it is not there (null), it is the operator's own, or in
      -- another state. Of two who decide at once the second waits for the first, and sees what became of it.
      CREATE FUNCTION withdrawal_reject(
        p_id uuid, p_operator uuid, p_note text, p_at timestamptz, p_from text[], p_to text, p_event uuid, p_entry uuid,
        p_request text, OUT refusal text, OUT withdrawal withdrawals
      ) LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
      DECLARE
        v_released record;
      BEGIN
        UPDATE withdrawals w
        SET status = p_to, decided_at = p_at, decided_by = p_operator, note = p_note, settled_at = p_at, review = NULL,
            review_at = NULL
        WHERE w.id = p_id AND w.status = ANY (p_from) AND w.user_id <> p_operator RETURNING * INTO withdrawal;
        IF NOT FOUND THEN
          SELECT * INTO withdrawal FROM withdrawals w WHERE w.id = p_id;
          refusal := CASE WHEN NOT FOUND THEN 'WITHDRAWAL_NOT_FOUND' WHEN withdrawal.user_id = p_operator THEN 'WITHDRAWAL_OWN'
                          ELSE 'WITHDRAWAL_ALREADY_DECIDED' END;
          RETURN;
        END IF;
        SELECT r.refusal AS code, r.replayed INTO v_released
        FROM ledger_release(withdrawal.hold_id, 'withdrawal:' || p_id || ':released') r;
        IF v_released.code IS NOT NULL THEN
          RAISE EXCEPTION 'the money of withdrawal % cannot be released: %', p_id, v_released.code;
        END IF;
        INSERT INTO outbox (id, topic, payload, request_id)
        VALUES (p_event, 'payments.withdrawal-changed',
                jsonb_build_object('withdrawalId', p_id, 'userId', withdrawal.user_id, 'status', p_to), p_request);
        INSERT INTO audit_log (id, at, actor_id, action, subject_type, subject_id, details, request_id)
        VALUES (p_entry, parley_now(), p_operator, 'withdrawal.decided', 'withdrawal', p_id,
                jsonb_build_object('decision', 'reject', 'userId', withdrawal.user_id), p_request);
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION withdrawal_reject;
      DROP FUNCTION ledger_release(uuid, text);

      CREATE OR REPLACE FUNCTION ledger_draw(
        p_hold ledger_holds, p_reference text, p_hash bytea, p_amount bigint, p_back bigint, p_kind text, p_owner text,
        p_type text, p_end text
      ) RETURNS TABLE (refusal text, details jsonb, transfer_id uuid, replayed boolean) LANGUAGE plpgsql VOLATILE AS $$
      #variable_conflict use_column
      DECLARE
        v_user text := p_hold.user_id;
        v_posted record;
      BEGIN
        -- To the user's own available money: with what goes back it is one leg.
        IF p_kind = 'user_available' AND p_owner = v_user THEN
          SELECT p.* INTO v_posted FROM ledger_post(
            ARRAY[p_reference], ARRAY[p_hash], ARRAY[p_type], ARRAY[NULL::timestamptz], ARRAY['{}'::jsonb], ARRAY[NULL::uuid],
            ARRAY[1, 1], ARRAY['user_available', 'user_held'], ARRAY[v_user, v_user], ARRAY[p_hold.currency, p_hold.currency],
            ARRAY[p_amount + p_back, -p_amount - p_back], p_hold => p_hold.id) p;
        ELSE
          SELECT p.* INTO v_posted FROM (
            SELECT array_agg(1) AS leg_of, array_agg(l.kind ORDER BY l.kind, l.owner) AS kinds,
                   array_agg(l.owner ORDER BY l.kind, l.owner) AS owners, array_agg(p_hold.currency::text) AS currencies,
                   array_agg(l.amount ORDER BY l.kind, l.owner) AS amounts
            FROM (SELECT v.kind COLLATE "C" AS kind, v.owner COLLATE "C" AS owner, v.amount FROM (VALUES ('user_held', v_user, -p_amount - p_back), (p_kind, p_owner, p_amount),
                         ('user_available', v_user, p_back)) AS v (kind, owner, amount)
                  WHERE v.amount <> 0) l) l,
            ledger_post(ARRAY[p_reference], ARRAY[p_hash], ARRAY[p_type], ARRAY[NULL::timestamptz], ARRAY['{}'::jsonb],
                        ARRAY[NULL::uuid], l.leg_of, l.kinds, l.owners, l.currencies, l.amounts, p_hold => p_hold.id) p;
        END IF;
        IF v_posted.refusal IS NULL AND NOT v_posted.replayed THEN
          UPDATE ledger_holds h
          SET captured = h.captured + p_amount, released = h.released + p_back,
              status = CASE WHEN h.captured + h.released + p_amount + p_back = h.amount THEN p_end ELSE h.status END,
              closed_at = CASE WHEN h.captured + h.released + p_amount + p_back = h.amount THEN parley_now() END
          WHERE h.id = p_hold.id;
        END IF;
        RETURN QUERY SELECT v_posted.refusal, v_posted.details, v_posted.transfer_id, v_posted.replayed;
      END $$;

      CREATE OR REPLACE FUNCTION ledger_hold(
        p_reference text, p_hash bytea, p_user uuid, p_amount bigint, p_currency text, p_purpose text,
        p_expires_at timestamptz, p_metadata jsonb
      ) RETURNS TABLE (refusal text, details jsonb, transfer_id uuid, replayed boolean, hold_id uuid)
      LANGUAGE plpgsql VOLATILE AS $$
      #variable_conflict use_column
      DECLARE
        v_hold uuid := ledger_new_id();
        v_posted record;
      BEGIN
        SELECT * INTO v_posted FROM ledger_post(
          ARRAY[p_reference], ARRAY[p_hash], ARRAY['hold'], ARRAY[NULL::timestamptz], ARRAY[p_metadata], ARRAY[NULL::uuid],
          ARRAY[1, 1], ARRAY['user_available', 'user_held'], ARRAY[p_user::text, p_user::text], ARRAY[p_currency, p_currency],
          ARRAY[-p_amount, p_amount], p_hold => v_hold);
        IF v_posted.replayed THEN
          SELECT h.id INTO v_hold FROM ledger_holds h WHERE h.reference = p_reference;
        ELSIF v_posted.refusal IS NULL THEN
          INSERT INTO ledger_holds (id, reference, user_id, currency, amount, purpose, transfer_id, metadata, expires_at,
                                    created_at)
          VALUES (v_hold, p_reference, p_user, p_currency, p_amount, p_purpose, v_posted.transfer_id, p_metadata, p_expires_at,
                  parley_now());
        END IF;
        RETURN QUERY SELECT v_posted.refusal, v_posted.details, v_posted.transfer_id, v_posted.replayed, v_hold;
      END $$;
    `);
    await queryRunner.query(`
      CREATE OR REPLACE FUNCTION ledger_check_transfer() RETURNS trigger LANGUAGE plpgsql
      SET enable_seqscan = off SET enable_bitmapscan = off AS $$
      BEGIN
        IF NOT EXISTS (SELECT FROM ledger_transfers WHERE id = NEW.transfer_id)
           OR EXISTS (SELECT FROM ledger_entries WHERE transfer_id = NEW.transfer_id
                      GROUP BY currency HAVING sum(amount) <> 0) THEN
          RAISE EXCEPTION 'the entries of transfer % do not sum to zero, or it is not there', NEW.transfer_id
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_entries_balanced';
        END IF;
        RETURN NULL;
      END $$;
      DROP FUNCTION ledger_prove_balanced, ledger_post_pair, ledger_take_stripe;
      ALTER TABLE ledger_accounts DROP COLUMN previous_entry;
      DROP INDEX ux_ledger_transfers_reverses;
      ALTER TABLE ledger_transfers ADD CONSTRAINT ux_ledger_transfers_reverses UNIQUE (reverses);
    `);
  }
}
