import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lock-outs after wrong passwords and codes, and the second factor. */
export class Protection1763700000012 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- Wrong attempts by whom or against whom: keyed hashes of an account, a device or a network. Hot and small.
      CREATE TABLE attempt_counters (
        key bytea PRIMARY KEY CHECK (octet_length(key) = 32),
        failures int NOT NULL DEFAULT 0 CHECK (failures >= 0),
        failed_at timestamptz NOT NULL DEFAULT '-infinity', -- from when on failures are forgotten
        pending int NOT NULL DEFAULT 0 CHECK (pending >= 0), -- attempts that are being compared
        pending_until timestamptz NOT NULL DEFAULT '-infinity', -- what is not finished by then was wrong
        locked_until timestamptz NOT NULL DEFAULT '-infinity',
        day date NOT NULL -- of the last attempt; not its time, so that updates stay HOT beside the index
      ) WITH (fillfactor = 70);
      CREATE INDEX ix_attempt_counters_cleanup ON attempt_counters (day);

      -- Devices that an account knows; keyed hashes, the account's id among the input.
      CREATE TABLE known_devices (
        device bytea PRIMARY KEY CHECK (octet_length(device) = 32),
        user_id uuid NOT NULL REFERENCES users,
        signed_in boolean NOT NULL, -- otherwise the password was reset there, which proves nothing about the second factor
        seen_at timestamptz NOT NULL
      );
      CREATE INDEX ix_known_devices_user ON known_devices (user_id);
      CREATE INDEX ix_known_devices_cleanup ON known_devices (seen_at);

      CREATE TABLE totp (
        user_id uuid PRIMARY KEY REFERENCES users,
        secret encrypted NOT NULL,
        created_at timestamptz NOT NULL,
        confirmed_at timestamptz, -- null until a first code has come: it asks for nothing yet
        last_step bigint, -- of the last code taken; none at or before it is taken again
        CHECK ((confirmed_at IS NULL) = (last_step IS NULL))
      );

      CREATE TABLE totp_recovery_codes (
        user_id uuid NOT NULL REFERENCES totp ON DELETE CASCADE,
        code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
        used_at timestamptz,
        PRIMARY KEY (user_id, code_hash)
      );

      -- Questions for the second factor, asked once the first was proved.
      CREATE TABLE second_factor_challenges (
        token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
        user_id uuid NOT NULL REFERENCES users,
        proof text NOT NULL CHECK (proof IN ('password', 'otp', 'google', 'apple')),
        tries int NOT NULL DEFAULT 0 CHECK (tries >= 0),
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
      );
      CREATE INDEX ix_second_factor_challenges_user ON second_factor_challenges (user_id);
      CREATE INDEX ix_second_factor_challenges_cleanup ON second_factor_challenges (expires_at);

      -- Failures still remembered at that moment: one is forgotten every p_forget seconds since the last.
      CREATE FUNCTION attempt_failures(p_failures int, p_failed_at timestamptz, p_forget int, p_at timestamptz)
      RETURNS int LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE WHEN p_failures = 0 THEN 0
          ELSE greatest(0, p_failures - floor(extract(epoch FROM p_at - p_failed_at) / p_forget))::int END
      $$;

      -- Until when so many failures lock.
      CREATE FUNCTION attempt_lock(p_failures int, p_limit int, p_first int, p_max int, p_at timestamptz)
      RETURNS timestamptz LANGUAGE sql STABLE AS $$
        SELECT CASE WHEN p_failures < p_limit THEN '-infinity'::timestamptz
          ELSE p_at + make_interval(secs => least(p_max, p_first * 2.0 ^ least(p_failures - p_limit, 30))) END
      $$;

      -- Enters an attempt before its secret is compared. Who is known by one of p_devices is counted by those devices
      -- alone, and refused only when all of them are locked; everyone else by p_strangers (the account's own counter
      -- first, then networks), each of which can refuse. An attempt in flight counts as wrong until it is finished, so
      -- that of any number at once no more are compared than may be wrong: 'wait' tells that the others must finish first.
      CREATE FUNCTION attempt_begin(
        p_kind text, p_user uuid, p_devices bytea[], p_strangers bytea[], p_limits int[], p_forgets int[],
        p_first int, p_max int, p_doublings int, p_known_since timestamptz, p_captcha_after int, p_pending interval)
      RETURNS TABLE (verdict text, wait_seconds int, keys bytea[]) LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_at timestamptz;
        v_known boolean;
        v_open boolean;
        v_free boolean;
        v_captcha boolean;
        v_until timestamptz;
      BEGIN
        PERFORM set_config('synchronous_commit', 'off', true); -- a count lost in a crash is one attempt more
        keys := ARRAY(SELECT sha256(d.device || p_kind::bytea) FROM known_devices d
                      WHERE d.device = ANY (p_devices) AND d.user_id = p_user AND d.seen_at > p_known_since
                        AND (d.signed_in OR p_kind = 'password'));
        v_known := cardinality(keys) > 0;
        IF NOT v_known THEN keys := p_strangers; END IF;
        INSERT INTO attempt_counters (key, day) SELECT k, parley_now()::date FROM unnest(keys) k ORDER BY k
          ON CONFLICT (key) DO NOTHING;
        PERFORM FROM attempt_counters c WHERE c.key = ANY (keys) ORDER BY c.key FOR UPDATE;
        v_at := parley_now();

        -- Whoever began and never finished was wrong.
        UPDATE attempt_counters c SET
          failures = least(l.lim + p_doublings, attempt_failures(c.failures, c.failed_at, l.forget, v_at) + c.pending),
          locked_until = greatest(c.locked_until, attempt_lock(
            attempt_failures(c.failures, c.failed_at, l.forget, v_at) + c.pending, l.lim, p_first, p_max, v_at)),
          failed_at = v_at, pending = 0
        FROM unnest(keys) WITH ORDINALITY k (key, n),
          LATERAL (SELECT p_limits[CASE WHEN v_known THEN 1 ELSE n END] AS lim,
                          p_forgets[CASE WHEN v_known THEN 1 ELSE n END] AS forget) l
        WHERE c.key = k.key AND c.pending > 0 AND c.pending_until <= v_at;

        SELECT CASE WHEN v_known THEN bool_or(s.open) ELSE bool_and(s.open) END,
               CASE WHEN v_known THEN bool_or(s.open AND s.free) ELSE bool_and(s.free) END,
               bool_or(s.suspect),
               CASE WHEN v_known THEN min(s.locked_until) ELSE max(s.locked_until) END
        INTO v_open, v_free, v_captcha, v_until
        FROM (
          SELECT c.locked_until, c.locked_until <= v_at AS open, c.pending < greatest(1, f.lim - f.failures) AS free,
                 CASE WHEN v_known OR k.n = 1 THEN f.failures >= p_captcha_after
                      ELSE p_captcha_after IS NOT NULL AND f.failures * 2 >= f.lim END AS suspect
          FROM unnest(keys) WITH ORDINALITY k (key, n)
          JOIN attempt_counters c ON c.key = k.key,
          LATERAL (SELECT p_limits[CASE WHEN v_known THEN 1 ELSE k.n END] AS lim,
            attempt_failures(c.failures, c.failed_at, p_forgets[CASE WHEN v_known THEN 1 ELSE k.n END], v_at) AS failures) f
        ) s;

        verdict := CASE WHEN NOT v_open THEN 'locked' WHEN NOT v_free THEN 'wait'
                        WHEN v_captcha THEN 'captcha' ELSE 'go' END;
        wait_seconds := CASE WHEN v_open THEN 0 ELSE ceil(extract(epoch FROM v_until - v_at)) END;
        IF verdict = 'go' THEN
          UPDATE attempt_counters c SET pending = c.pending + 1, pending_until = v_at + p_pending, day = v_at::date
          WHERE c.key = ANY (keys);
        END IF;
        RETURN NEXT;
      END $$;

      -- A wrong attempt: what each of its counters has come to, and for how long it locks now.
      CREATE FUNCTION attempt_wrong(p_keys bytea[], p_limits int[], p_forgets int[], p_first int, p_max int, p_doublings int)
      RETURNS TABLE (key bytea, failures int, locked_seconds int) LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_at timestamptz;
      BEGIN
        PERFORM FROM attempt_counters c WHERE c.key = ANY (p_keys) ORDER BY c.key FOR UPDATE;
        v_at := parley_now();
        RETURN QUERY
          UPDATE attempt_counters c SET
            failures = f.failures, failed_at = v_at, pending = greatest(0, c.pending - 1), day = v_at::date,
            locked_until = greatest(c.locked_until, attempt_lock(f.failures, k.lim, p_first, p_max, v_at))
          FROM unnest(p_keys, p_limits, p_forgets) k (key, lim, forget),
            attempt_counters o,
            LATERAL (SELECT least(k.lim + p_doublings,
              attempt_failures(o.failures, o.failed_at, k.forget, v_at) + 1) AS failures) f
          WHERE c.key = k.key AND o.key = k.key
          RETURNING c.key, c.failures, greatest(0, ceil(extract(epoch FROM c.locked_until - v_at)))::int;
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION attempt_wrong, attempt_begin, attempt_lock, attempt_failures;
      DROP TABLE second_factor_challenges, totp_recovery_codes, totp, known_devices, attempt_counters;
    `);
  }
}
