import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What many clients ask of the ledger at one moment, in one call: transfers, releases, and an operator's noes. */
export class LedgerGroups1763700000046 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- Posts transfers of many clients (some tens), each as ledger_post_pair does, and answers them in their order. Null, with
      -- nothing changed of that one, whenever there is more to it: an account is new, is in somebody's hand, or would go
      -- below zero though it may not; both are one account; or the reference was used. Then that one is asked for by itself. The
      -- same reference twice in a group fails all of it.
      --
      -- It never waits for an account, so a group, which holds many, is in no deadlock. (It waits for an equal reference that
      -- somebody has not committed yet. Who posts that holds the same accounts, which are then left out, but for those that are
      -- spread over several rows.) First it takes all accounts that it
      -- can have, of those that are spread over several rows the first that nobody holds, and looks at them as they are
      -- then; what it writes follows from that alone. An account's entries follow each other in the order of the legs: all
      -- first ones, then all second ones.
      --
      -- Each transfer's two entries sum to zero by the way they are written, and it says so for the rest of the transaction,
      -- as ledger_post_pair does. One plan for any number of transfers: with few of them another would be made at each call.
      CREATE FUNCTION ledger_post_pairs(
        p_references text[], p_hashes bytea[], p_types text[], p_kinds1 text[], p_owners1 text[], p_kinds2 text[],
        p_owners2 text[], p_currencies text[], p_amounts bigint[], p_holds uuid[] DEFAULT NULL,
        p_effective timestamptz[] DEFAULT NULL, p_metadata jsonb[] DEFAULT NULL, p_requested_by uuid[] DEFAULT NULL
      ) RETURNS uuid[] LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan AS $$
      DECLARE
        v_many CONSTANT int := cardinality(p_references);
        v_now timestamptz;
        -- Of each leg; the second ones follow the first.
        v_accounts uuid[];
        v_after bigint[];   -- what the account holds after it
        v_entries bigint[];
        v_last boolean[];   -- whether it is its account's last
        v_fine boolean[];
        -- Of each transfer.
        v_transfers uuid[];
        v_good int[];
        v_posted uuid[];
        v_users text[];
        v_said text;
      BEGIN
        SELECT array_agg(x.account ORDER BY x.n), array_agg(x.after ORDER BY x.n), array_agg(x.entry ORDER BY x.n),
               array_agg(x.last ORDER BY x.n), array_agg(x.fine ORDER BY x.n),
               array_agg(x.transfer ORDER BY x.n) FILTER (WHERE x.n <= v_many),
               array_agg(DISTINCT x.owner) FILTER (WHERE x.last AND x.kind IN ('user_available', 'user_held'))
        INTO v_accounts, v_after, v_entries, v_last, v_fine, v_transfers, v_users
        FROM (
          SELECT l.n, l.kind, l.owner, CASE WHEN l.n <= v_many THEN ledger_new_id() END AS transfer, a.id AS account,
                 nextval('ledger_entry_id_seq') AS entry, lead(l.n) OVER moves IS NULL AS last,
                 a.balance + sum(CASE WHEN l.n <= v_many THEN -l.amount ELSE l.amount END) OVER moves AS after,
                 a.id IS NOT NULL AND (l.kind, l.owner) <> (l.other_kind, l.other_owner)
                   AND (SELECT t.id FROM ledger_transfers t WHERE t.reference = l.reference) IS NULL
                   AND (a.may_go_below_zero
                        OR a.balance + sum(CASE WHEN l.n <= v_many THEN -l.amount ELSE l.amount END) OVER moves >= 0) AS fine
          FROM unnest(p_kinds1 || p_kinds2, p_owners1 || p_owners2, p_kinds2 || p_kinds1, p_owners2 || p_owners1,
                      p_currencies || p_currencies, p_amounts || p_amounts, p_references)
               WITH ORDINALITY AS l (kind, owner, other_kind, other_owner, currency, amount, reference, n)
          LEFT JOIN LATERAL (
            SELECT a.id, a.balance, a.may_go_below_zero FROM ledger_accounts a
            WHERE a.kind = l.kind AND a.owner = l.owner AND a.currency = l.currency
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) a ON true
          WINDOW moves AS (PARTITION BY a.id ORDER BY l.n)) x;

        IF false = ANY (v_fine) THEN
          v_transfers := array_fill(NULL::uuid, ARRAY[v_many]);
          v_good := ARRAY(SELECT n FROM generate_series(1, v_many) AS n WHERE v_fine[n] AND v_fine[n + v_many]);
          IF v_good <> '{}' THEN
            SELECT ledger_post_pairs(
              array_agg(p_references[n]), array_agg(p_hashes[n]), array_agg(p_types[n]), array_agg(p_kinds1[n]),
              array_agg(p_owners1[n]), array_agg(p_kinds2[n]), array_agg(p_owners2[n]), array_agg(p_currencies[n]),
              array_agg(p_amounts[n]), array_agg(p_holds[n]), array_agg(p_effective[n]), array_agg(p_metadata[n]),
              array_agg(p_requested_by[n]))
            INTO v_posted FROM (SELECT n FROM unnest(v_good) AS n ORDER BY n) good;
            FOR i IN 1 .. cardinality(v_good) LOOP
              v_transfers[v_good[i]] := v_posted[i];
            END LOOP;
          END IF;
          RETURN v_transfers;
        END IF;

        v_now := parley_now();
        INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at, metadata, hold_id,
                                      requested_by)
        SELECT p.id, p.reference, p.hash, p.type, coalesce(p.effective, v_now), v_now, coalesce(p.metadata, '{}'),
               p.hold, p.requested_by
        FROM unnest(v_transfers, p_references, p_hashes, p_types, p_effective, p_metadata, p_holds, p_requested_by)
             AS p (id, reference, hash, type, effective, metadata, hold, requested_by);
        v_said := set_config('parley.balanced', array_to_string(v_transfers, '2,') || '2', true);
        INSERT INTO ledger_entries (id, transfer_id, leg, account_id, currency, amount, balance_after, created_at)
        SELECT l.entry, l.transfer, CASE WHEN l.n <= v_many THEN 1 ELSE 2 END, l.account, l.currency,
               CASE WHEN l.n <= v_many THEN -l.amount ELSE l.amount END, l.after, v_now
        FROM unnest(v_entries, v_transfers || v_transfers, v_accounts, p_currencies || p_currencies, p_amounts || p_amounts,
                    v_after) WITH ORDINALITY AS l (entry, transfer, account, currency, amount, after, n);
        UPDATE ledger_accounts a SET balance = l.after, last_entry = l.entry
        FROM unnest(v_accounts, v_after, v_entries, v_last) AS l (account, after, entry, last)
        WHERE l.last AND a.id = l.account;
        IF v_users IS NOT NULL THEN
          INSERT INTO outbox (id, topic, payload)
          VALUES (ledger_new_id(), 'wallet.changed', jsonb_build_object('userIds', v_users));
        END IF;
        RETURN v_transfers;
      END $$;

      -- As before, and parley.balanced may tell of several transfers: each is its id and the number of its legs, with
      -- commas between.
      CREATE OR REPLACE FUNCTION ledger_check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        v_proved CONSTANT text := current_setting('parley.balanced', true);
        v_at CONSTANT int := strpos(v_proved, NEW.transfer_id::text);
      BEGIN
        IF v_at > 0 AND NEW.leg BETWEEN 1 AND split_part(substr(v_proved, v_at + 36, 6), ',', 1)::int THEN
          RETURN NULL;
        END IF;
        PERFORM ledger_prove_balanced(NEW.transfer_id);
        RETURN NULL;
      END $$;

      -- Gives back what is left of holds of many clients, each as ledger_release does; null for each of which there is more to
      -- say: it is not there, not open, or in somebody's hand, or its transfer could not be posted with the others.
      CREATE FUNCTION ledger_release_all(p_holds uuid[], p_references text[]) RETURNS uuid[] LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan AS $$
      DECLARE
        v_places int[];     -- in p_holds, of those that are open and ours
        v_holds uuid[];
        v_users text[];
        v_currencies text[];
        v_rest bigint[];
        v_transfers uuid[];
        v_answer uuid[] := array_fill(NULL::uuid, ARRAY[cardinality(p_holds)]);
      BEGIN
        SELECT array_agg(l.n), array_agg(h.id), array_agg(h.user_id::text), array_agg(h.currency), array_agg(h.rest)
        INTO v_places, v_holds, v_users, v_currencies, v_rest
        FROM (SELECT u.id, min(u.n) AS n FROM unnest(p_holds) WITH ORDINALITY AS u (id, n) GROUP BY u.id) l -- each once
        CROSS JOIN LATERAL (
          SELECT h.id, h.user_id, h.currency, h.amount - h.captured - h.released AS rest FROM ledger_holds h
          WHERE h.id = l.id AND h.status = 'held' FOR NO KEY UPDATE SKIP LOCKED) h;
        IF v_places IS NULL THEN
          RETURN v_answer;
        END IF;
        SELECT ledger_post_pairs(
          array_agg(p_references[v_places[i]]),
          array_agg(sha256(convert_to('["release","' || v_holds[i] || '"]', 'UTF8'))), array_agg('release'::text),
          array_agg('user_available'::text), v_users, array_agg('user_held'::text), v_users, v_currencies, array_agg(-v_rest[i]),
          v_holds)
        INTO v_transfers FROM generate_series(1, cardinality(v_places)) AS i;
        UPDATE ledger_holds h SET released = h.released + l.rest, status = 'released', closed_at = parley_now()
        FROM unnest(v_holds, v_rest, v_transfers) AS l (id, rest, transfer) WHERE h.id = l.id AND l.transfer IS NOT NULL;
        FOR i IN 1 .. cardinality(v_places) LOOP
          v_answer[v_places[i]] := v_transfers[i];
        END LOOP;
        RETURN v_answer;
      END $$;
    `);
    await queryRunner.query(`
      -- The noes of many operators at one moment, each as withdrawal_reject does, and answers the withdrawals that were
      -- rejected, each with its place in p_ids. Of the others there is more to say (it is not there, the operator's own, in another state, or it or
      -- its money is in somebody's hand): each is asked for by itself. Nothing is waited for.
      CREATE FUNCTION withdrawals_reject(
        p_ids uuid[], p_operators uuid[], p_notes text[], p_at timestamptz[], p_from text[], p_to text, p_events uuid[],
        p_entries uuid[], p_requests text[]
      ) RETURNS TABLE (place int, withdrawal withdrawals) LANGUAGE plpgsql VOLATILE
      SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan AS $$
      DECLARE
        v_places int[];     -- in p_ids, of those that may be rejected
        v_holds uuid[];
        v_transfers uuid[];
      BEGIN
        SELECT array_agg(l.n), array_agg(w.hold_id) INTO v_places, v_holds
        FROM unnest(p_ids, p_operators) WITH ORDINALITY AS l (id, operator, n)
        CROSS JOIN LATERAL (
          SELECT w.hold_id FROM withdrawals w WHERE w.id = l.id AND w.status = ANY (p_from) AND w.user_id <> l.operator
          FOR NO KEY UPDATE SKIP LOCKED) w
        -- What the foreign key of decided_by would wait for.
        CROSS JOIN LATERAL (SELECT FROM users u WHERE u.id = l.operator FOR KEY SHARE SKIP LOCKED) o;
        IF v_places IS NULL THEN
          RETURN;
        END IF;
        v_transfers := ledger_release_all(
          v_holds, ARRAY(SELECT 'withdrawal:' || p_ids[n] || ':released' FROM unnest(v_places) WITH ORDINALITY AS p (n, i)
                         ORDER BY i));
        RETURN QUERY
        WITH decided AS (
          UPDATE withdrawals w
          SET status = p_to, decided_at = l.at, decided_by = l.operator, note = l.note, settled_at = l.at, review = NULL,
              review_at = NULL
          FROM unnest(p_ids, p_operators, p_notes, p_at) WITH ORDINALITY AS l (id, operator, note, at, n)
          JOIN unnest(v_places, v_transfers) AS p (n, transfer) ON p.n = l.n AND p.transfer IS NOT NULL
          WHERE w.id = l.id RETURNING l.n::int AS place, w AS withdrawal),
        told AS (
          INSERT INTO outbox (id, topic, payload, request_id)
          SELECT p_events[d.place], 'payments.withdrawal-changed',
                 jsonb_build_object('withdrawalId', (d.withdrawal).id, 'userId', (d.withdrawal).user_id, 'status', p_to),
                 p_requests[d.place]
          FROM decided d),
        logged AS (
          INSERT INTO audit_log (id, at, actor_id, action, subject_type, subject_id, details, request_id)
          SELECT p_entries[d.place], parley_now(), p_operators[d.place], 'withdrawal.decided', 'withdrawal',
                 (d.withdrawal).id::text, jsonb_build_object('decision', 'reject', 'userId', (d.withdrawal).user_id),
                 p_requests[d.place]
          FROM decided d)
        SELECT d.place, d.withdrawal FROM decided d;
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION withdrawals_reject, ledger_release_all, ledger_post_pairs;

      CREATE OR REPLACE FUNCTION ledger_check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF left(current_setting('parley.balanced', true), 36) = NEW.transfer_id::text
           AND NEW.leg BETWEEN 1 AND substr(current_setting('parley.balanced', true), 37)::int THEN
          RETURN NULL;
        END IF;
        PERFORM ledger_prove_balanced(NEW.transfer_id);
        RETURN NULL;
      END $$;
    `);
  }
}
