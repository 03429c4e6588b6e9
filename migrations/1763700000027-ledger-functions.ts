import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What moves money: each function is one call. */
export class LedgerFunctions1763700000027 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- Makes the account, with all its stripes.
      CREATE FUNCTION ledger_open_account(p_kind text, p_owner text, p_currency text) RETURNS void LANGUAGE sql VOLATILE AS $$
        INSERT INTO ledger_accounts (id, kind, owner, currency, stripe, may_go_below_zero, created_at)
        SELECT ledger_new_id(), k.kind, p_owner, p_currency, s.stripe, k.may_go_below_zero, parley_now()
        FROM ledger_account_kinds k CROSS JOIN LATERAL generate_series(0, k.stripes - 1) AS s (stripe)
        WHERE k.kind = p_kind
        ON CONFLICT DO NOTHING
      $$;

      -- Locks the accounts of several transfers at once, so that the order of the transfers is not one of locks.
      CREATE FUNCTION ledger_lock_accounts(p_kinds text[], p_owners text[], p_currencies text[])
      RETURNS void LANGUAGE sql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
        SELECT FROM unnest(p_kinds, p_owners, p_currencies) AS l (kind, owner, currency)
        JOIN ledger_account_kinds k ON k.kind = l.kind AND k.stripes = 1
        JOIN ledger_accounts a ON a.kind = l.kind AND a.owner = l.owner AND a.currency = l.currency
        ORDER BY a.kind, a.owner, a.currency FOR NO KEY UPDATE OF a
      $$;

      -- Posts transfers, one after the other, and answers one row each: the transfer, or the code of its refusal with
      -- details. The legs of all of them follow each other, p_leg_of says whose each is (1, 2, …); those of one transfer
      -- stand in the order of kind, owner and currency, bytewise, and sum to zero in each currency (which is looked at when
      -- the transaction commits). A refusal changes nothing.
      --
      -- It locks the accounts in that order, of each the first stripe that nobody holds, and only then looks, each
      -- statement with a new snapshot, at what is committed. A reference that was used before is answered with its
      -- transfer and "replayed", LEDGER_REFERENCE_REUSED when another content was posted under it. INSUFFICIENT_FUNDS: an
      -- account that may not go below zero would.
      --
      -- Small statements by primary or unique keys: those cost Postgres less than one large one, and the settings hold
      -- their plans to indexes whatever the statistics say. A session keeps its plan, and one made while a table was empty
      -- would read it whole when it no longer is.
      CREATE FUNCTION ledger_post(
        p_references text[], p_hashes bytea[], p_types text[], p_effective timestamptz[], p_metadata jsonb[],
        p_requested_by uuid[], p_leg_of int[], p_kinds text[], p_owners text[], p_currencies text[], p_amounts bigint[],
        p_reverses uuid DEFAULT NULL, p_hold uuid DEFAULT NULL
      ) RETURNS TABLE (i int, refusal text, details jsonb, transfer_id uuid, replayed boolean) LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off AS $$
      #variable_conflict use_column
      DECLARE
        v_leg int := 1;   -- the leg in hand, and the first one of its transfer
        v_first int;
        v_account uuid;
        v_balance bigint;
        v_unbounded boolean;
        v_accounts uuid[];
        v_after bigint[]; -- what they hold when the transfer is booked
        v_short jsonb;
        v_transfer uuid;
        v_known record;
        v_entry bigint;
        v_now timestamptz;
        v_touched text[];
        v_users text[] := '{}';
      BEGIN
        IF cardinality(p_references) > 1 THEN
          PERFORM ledger_lock_accounts(p_kinds, p_owners, p_currencies);
        END IF;
        FOR v_posting IN 1 .. cardinality(p_references) LOOP
          v_first := v_leg;
          v_accounts := '{}';
          v_after := '{}';
          v_touched := '{}';
          v_short := NULL;
          v_transfer := NULL;
          WHILE p_leg_of[v_leg] = v_posting LOOP
            IF v_leg > v_first AND (p_kinds[v_leg] COLLATE "C", p_owners[v_leg] COLLATE "C", p_currencies[v_leg])
                                <= (p_kinds[v_leg - 1], p_owners[v_leg - 1], p_currencies[v_leg - 1]) THEN
              RAISE EXCEPTION 'the legs of % stand in the order of their accounts, one leg each', p_references[v_posting];
            END IF;
            SELECT a.id, a.balance, a.may_go_below_zero INTO v_account, v_balance, v_unbounded FROM ledger_accounts a
            WHERE a.kind = p_kinds[v_leg] AND a.owner = p_owners[v_leg] AND a.currency = p_currencies[v_leg]
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
            IF NOT FOUND THEN
              -- It is new, or others hold all its stripes: then one of them is waited for.
              IF NOT EXISTS (SELECT FROM ledger_accounts a WHERE a.kind = p_kinds[v_leg] AND a.owner = p_owners[v_leg]
                               AND a.currency = p_currencies[v_leg]) THEN
                PERFORM ledger_open_account(p_kinds[v_leg], p_owners[v_leg], p_currencies[v_leg]);
              END IF;
              SELECT a.id, a.balance, a.may_go_below_zero INTO STRICT v_account, v_balance, v_unbounded
              FROM ledger_accounts a
              WHERE a.kind = p_kinds[v_leg] AND a.owner = p_owners[v_leg] AND a.currency = p_currencies[v_leg]
                AND a.stripe = pg_backend_pid() % (SELECT k.stripes FROM ledger_account_kinds k WHERE k.kind = p_kinds[v_leg])
              FOR NO KEY UPDATE;
            END IF;
            IF p_kinds[v_leg] IN ('user_available', 'user_held') AND p_owners[v_leg] <> ALL (v_touched) THEN
              v_touched := v_touched || p_owners[v_leg];
            END IF;
            v_accounts := v_accounts || v_account;
            v_after := v_after || v_balance + p_amounts[v_leg];
            IF p_amounts[v_leg] < -v_balance AND NOT v_unbounded THEN
              v_short := jsonb_build_object('available', v_balance, 'currency', p_currencies[v_leg]);
            END IF;
            v_leg := v_leg + 1;
          END LOOP;

          v_now := parley_now();
          IF v_short IS NULL THEN
            INSERT INTO ledger_transfers AS t (id, reference, input_hash, type, effective_at, created_at, metadata,
                                               reverses, hold_id, requested_by)
            VALUES (ledger_new_id(), p_references[v_posting], p_hashes[v_posting], p_types[v_posting],
                    coalesce(p_effective[v_posting], v_now), v_now, p_metadata[v_posting], p_reverses, p_hold,
                    p_requested_by[v_posting])
            ON CONFLICT (reference) DO NOTHING RETURNING t.id INTO v_transfer;
          END IF;
          i := v_posting;
          transfer_id := v_transfer;
          replayed := false;
          refusal := NULL;
          details := NULL;
          IF v_transfer IS NULL THEN
            SELECT t.id, t.input_hash = p_hashes[v_posting] AS same INTO v_known
            FROM ledger_transfers t WHERE t.reference = p_references[v_posting];
            IF FOUND THEN
              transfer_id := v_known.id;
              replayed := true;
              IF NOT v_known.same THEN
                refusal := 'LEDGER_REFERENCE_REUSED';
                details := jsonb_build_object('reference', p_references[v_posting]);
              END IF;
            ELSE
              refusal := 'INSUFFICIENT_FUNDS';
              details := v_short;
            END IF;
          ELSE
            FOR v_n IN 1 .. v_leg - v_first LOOP
              v_entry := nextval('ledger_entry_id_seq');
              INSERT INTO ledger_entries (id, transfer_id, leg, account_id, currency, amount, balance_after, created_at)
              VALUES (v_entry, v_transfer, v_n, v_accounts[v_n], p_currencies[v_first + v_n - 1],
                      p_amounts[v_first + v_n - 1], v_after[v_n], v_now);
              UPDATE ledger_accounts a SET balance = v_after[v_n], last_entry = v_entry WHERE a.id = v_accounts[v_n];
            END LOOP;
            v_users := v_users || v_touched;
          END IF;
          RETURN NEXT;
        END LOOP;
        IF v_users <> '{}' THEN
          INSERT INTO outbox (id, topic, payload)
          VALUES (ledger_new_id(), 'wallet.changed', jsonb_build_object('userIds', v_users));
        END IF;
      END $$;
    `);
    await queryRunner.query(`
      -- Moves what a user has available to what is held for them, and answers the hold.
      CREATE FUNCTION ledger_hold(
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

      -- Takes p_amount of a hold to an account (none: 0), and gives back p_back of it; p_end is what becomes of the hold
      -- when nothing is left of it. The caller has locked it and seen that it has as much.
      CREATE FUNCTION ledger_draw(
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

      -- Locks a hold, and tells why nothing can be drawn from it: it is not there, the reference was used (also
      -- "replayed"), it is not open.
      CREATE FUNCTION ledger_open_hold(
        p_id uuid, p_reference text, p_hash bytea, p_also_late boolean,
        OUT hold ledger_holds, OUT refusal text, OUT details jsonb, OUT transfer_id uuid, OUT replayed boolean
      ) LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_known record;
      BEGIN
        replayed := false;
        SELECT * INTO hold FROM ledger_holds h WHERE h.id = p_id FOR NO KEY UPDATE;
        IF NOT FOUND THEN
          refusal := 'HOLD_NOT_FOUND';
          details := jsonb_build_object('holdId', p_id);
          RETURN;
        END IF;
        SELECT t.id, t.input_hash = p_hash AS same INTO v_known FROM ledger_transfers t WHERE t.reference = p_reference;
        IF FOUND THEN
          transfer_id := v_known.id;
          replayed := true;
          IF NOT v_known.same THEN
            refusal := 'LEDGER_REFERENCE_REUSED';
            details := jsonb_build_object('reference', p_reference);
          END IF;
        ELSIF hold.status <> 'held' OR (NOT p_also_late AND hold.expires_at <= parley_now()) THEN
          refusal := 'HOLD_NOT_OPEN';
          details := jsonb_build_object('status', CASE hold.status WHEN 'held' THEN 'expired' ELSE hold.status END);
        END IF;
      END $$;

      -- Pays p_amount from a hold; the final capture gives back the rest.
      CREATE FUNCTION ledger_capture(
        p_hold uuid, p_reference text, p_hash bytea, p_amount bigint, p_kind text, p_owner text, p_currency text,
        p_final boolean
      ) RETURNS TABLE (refusal text, details jsonb, transfer_id uuid, replayed boolean) LANGUAGE plpgsql VOLATILE AS $$
      #variable_conflict use_column
      DECLARE
        v record;
        v_left bigint;
      BEGIN
        IF p_amount <= 0 OR p_kind = 'user_held' THEN
          RAISE EXCEPTION 'a capture takes something from what is held';
        END IF;
        SELECT * INTO v FROM ledger_open_hold(p_hold, p_reference, p_hash, false);
        IF v.refusal IS NULL AND NOT v.replayed THEN
          v_left := (v.hold).amount - (v.hold).captured - (v.hold).released;
          IF p_currency <> (v.hold).currency OR p_amount > v_left THEN
            RETURN QUERY SELECT 'HOLD_TOO_SMALL', jsonb_build_object('left', v_left, 'currency', (v.hold).currency),
                                NULL::uuid, false;
            RETURN;
          END IF;
          RETURN QUERY SELECT * FROM ledger_draw(
            v.hold, p_reference, p_hash, p_amount, CASE WHEN p_final THEN v_left - p_amount ELSE 0 END, p_kind, p_owner,
            'capture', 'captured');
          RETURN;
        END IF;
        RETURN QUERY SELECT v.refusal, v.details, v.transfer_id, v.replayed;
      END $$;

      -- Gives back what is left of a hold, also of one whose time is up.
      CREATE FUNCTION ledger_release(p_hold uuid, p_reference text, p_hash bytea)
      RETURNS TABLE (refusal text, details jsonb, transfer_id uuid, replayed boolean) LANGUAGE plpgsql VOLATILE AS $$
      #variable_conflict use_column
      DECLARE
        v record;
      BEGIN
        SELECT * INTO v FROM ledger_open_hold(p_hold, p_reference, p_hash, true);
        IF v.refusal IS NULL AND NOT v.replayed THEN
          RETURN QUERY SELECT * FROM ledger_draw(
            v.hold, p_reference, p_hash, 0, (v.hold).amount - (v.hold).captured - (v.hold).released, 'user_available',
            (v.hold).user_id::text, 'release', 'released');
          RETURN;
        END IF;
        RETURN QUERY SELECT v.refusal, v.details, v.transfer_id, v.replayed;
      END $$;

      -- Releases at most p_limit holds whose time is up, and that nobody else has in hand; how many.
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

      -- Posts the opposite of a transfer, once: what it took from held money comes back as available, for the hold is
      -- over or has less. A hold and a release, of which nothing is left by that, are not reversible.
      CREATE FUNCTION ledger_reverse(p_transfer uuid, p_reference text, p_hash bytea, p_reason text, p_requested_by uuid)
      RETURNS TABLE (refusal text, details jsonb, transfer_id uuid, replayed boolean) LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off AS $$
      #variable_conflict use_column
      DECLARE
        v_type text;
        v_known record;
        v_legs record;
      BEGIN
        SELECT t.type INTO v_type FROM ledger_transfers t WHERE t.id = p_transfer FOR UPDATE;
        IF NOT FOUND THEN
          RETURN QUERY SELECT 'TRANSFER_NOT_FOUND', jsonb_build_object('transferId', p_transfer), NULL::uuid, false;
          RETURN;
        END IF;
        SELECT t.id, t.input_hash = p_hash AS same INTO v_known FROM ledger_transfers t WHERE t.reference = p_reference;
        IF FOUND THEN
          RETURN QUERY SELECT CASE WHEN NOT v_known.same THEN 'LEDGER_REFERENCE_REUSED' END,
                              CASE WHEN NOT v_known.same THEN jsonb_build_object('reference', p_reference) END,
                              v_known.id, true;
          RETURN;
        END IF;
        SELECT t.id INTO v_known FROM ledger_transfers t WHERE t.reverses = p_transfer;
        IF FOUND THEN
          RETURN QUERY SELECT 'ALREADY_REVERSED', jsonb_build_object('by', v_known.id), NULL::uuid, false;
          RETURN;
        END IF;
        SELECT array_agg(1) AS leg_of, array_agg(l.kind) AS kinds, array_agg(l.owner) AS owners,
               array_agg(l.currency) AS currencies, array_agg(l.amount) AS amounts
        INTO v_legs FROM (
          SELECT CASE a.kind WHEN 'user_held' THEN 'user_available' ELSE a.kind END COLLATE "C" AS kind, a.owner::text,
                 a.currency::text, -sum(e.amount)::bigint AS amount
          FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
          WHERE e.transfer_id = p_transfer GROUP BY 1, 2, 3 HAVING sum(e.amount) <> 0
          ORDER BY 1, 2, 3) l;
        IF v_legs.leg_of IS NULL THEN
          RETURN QUERY SELECT 'TRANSFER_NOT_REVERSIBLE', jsonb_build_object('type', v_type), NULL::uuid, false;
          RETURN;
        END IF;
        RETURN QUERY SELECT p.refusal, p.details, p.transfer_id, p.replayed FROM ledger_post(
          ARRAY[p_reference], ARRAY[p_hash], ARRAY['reversal'], ARRAY[NULL::timestamptz],
          ARRAY[jsonb_build_object('reason', p_reason)], ARRAY[p_requested_by], v_legs.leg_of, v_legs.kinds, v_legs.owners,
          v_legs.currencies, v_legs.amounts, p_reverses => p_transfer) p;
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION ledger_reverse, ledger_expire, ledger_release, ledger_capture, ledger_open_hold, ledger_draw,
        ledger_hold, ledger_post, ledger_lock_accounts, ledger_open_account;
    `);
  }
}
