import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Signing in as one call. */
export class SignIn1763700000019 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- Attempts that were not wrong; those counters of p_cleared forget what was wrong before.
      CREATE FUNCTION attempt_finish(p_keys bytea[], p_cleared bytea[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
      BEGIN
        PERFORM FROM attempt_counters c WHERE c.key = ANY (p_keys) ORDER BY c.key FOR UPDATE;
        UPDATE attempt_counters c SET pending = greatest(0, c.pending - 1),
          failures = CASE WHEN c.key = ANY (p_cleared) THEN 0 ELSE c.failures END,
          locked_until = CASE WHEN c.key = ANY (p_cleared) THEN '-infinity' ELSE c.locked_until END
        WHERE c.key = ANY (p_keys);
      END $$;

      -- Devices that the account knows from now on. Written at most once a day each, so that a sign-in seldom does.
      CREATE FUNCTION known_devices_seen(p_user uuid, p_devices bytea[], p_signed_in boolean, p_now timestamptz)
      RETURNS void LANGUAGE plpgsql VOLATILE AS $$
      BEGIN
        INSERT INTO known_devices AS k (device, user_id, signed_in, seen_at)
        SELECT d.device, p_user, p_signed_in, p_now FROM unnest(p_devices) d (device) ORDER BY d.device
        ON CONFLICT (device) DO UPDATE SET seen_at = excluded.seen_at, signed_in = k.signed_in OR excluded.signed_in
        WHERE k.seen_at < excluded.seen_at - interval '1 day' OR (excluded.signed_in AND NOT k.signed_in);
      END $$;

      -- As before, without looking for devices where none was shown, or for attempts given up where there are none.
      CREATE OR REPLACE FUNCTION attempt_begin(
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
        v_abandoned timestamptz;
      BEGIN
        PERFORM set_config('synchronous_commit', 'off', true); -- a count lost in a crash is one attempt more
        v_known := false;
        IF cardinality(p_devices) > 0 THEN
          keys := ARRAY(SELECT sha256(d.device || p_kind::bytea) FROM known_devices d
                        WHERE d.device = ANY (p_devices) AND d.user_id = p_user AND d.seen_at > p_known_since
                          AND (d.signed_in OR p_kind = 'password'));
          v_known := cardinality(keys) > 0;
        END IF;
        IF NOT v_known THEN keys := p_strangers; END IF;
        INSERT INTO attempt_counters (key, day) SELECT k, parley_now()::date FROM unnest(keys) k ORDER BY k
          ON CONFLICT (key) DO NOTHING;
        SELECT min(c.pending_until) FILTER (WHERE c.pending > 0) INTO v_abandoned
        FROM (SELECT * FROM attempt_counters WHERE key = ANY (keys) ORDER BY key FOR UPDATE) c;
        v_at := parley_now();

        -- Whoever began and never finished was wrong.
        IF v_abandoned <= v_at THEN
          UPDATE attempt_counters c SET
            failures = least(l.lim + p_doublings, attempt_failures(c.failures, c.failed_at, l.forget, v_at) + c.pending),
            locked_until = greatest(c.locked_until, attempt_lock(
              attempt_failures(c.failures, c.failed_at, l.forget, v_at) + c.pending, l.lim, p_first, p_max, v_at)),
            failed_at = v_at, pending = 0
          FROM unnest(keys) WITH ORDINALITY k (key, n),
            LATERAL (SELECT p_limits[CASE WHEN v_known THEN 1 ELSE n END] AS lim,
                            p_forgets[CASE WHEN v_known THEN 1 ELSE n END] AS forget) l
          WHERE c.key = k.key AND c.pending > 0 AND c.pending_until <= v_at;
        END IF;

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

      -- Where every way in ends, in one round trip. It locks the user's row first and only then looks at what is committed,
      -- so that a ban, another role or password, a reset or a closing, which lock it too, end this session among the others
      -- or are what is decided by. Its outcomes, in the order in which they are decided:
      --   refused    the password is no longer the one that was compared (p_compared; null when something else was proved)
      --   banned     the account is not in use; until when and why stand beside it
      --   challenge  a second factor is on and p_second_factor has not proved it: the question is stored
      --   number     p_number_index is not the user's number any more: the caller looks again
      --   full       p_kept sessions live already: the caller ends the oldest
      --   opened     session, first refresh token, known devices, audit row and event are written; the relay is not woken for
      --              it and finds it when it polls
      -- 'number' and 'full' have changed nothing. After all others the counters of p_attempts, under which a guess at the
      -- password was entered, are finished, and those of p_cleared among them forget what was wrong before; they come last,
      -- since whole networks share them. Times are those of the application's Clock, as for every session. Indexes: primary
      -- keys, ix_sessions_user, ix_sessions_user_live.
      CREATE FUNCTION sign_in(
        p_user uuid, p_proof text, p_second_factor boolean,
        p_compared text, p_renewed text, p_attempts bytea[], p_cleared bytea[],
        p_session uuid, p_token_hash bytea, p_now timestamptz, p_expires_at timestamptz, p_kept int,
        p_user_agent text, p_device text, p_address inet, p_fingerprint text, p_jkt text,
        p_number_index bytea, p_devices bytea[],
        p_challenge_hash bytea, p_challenge_expires_at timestamptz,
        p_event uuid, p_topic text, p_audit uuid, p_request text
      ) RETURNS TABLE (outcome text, email text, handle text, display_name text, role text, closing_at timestamptz,
                       banned_until timestamptz, ban_reason text)
      LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        u record;
        v_network inet := network(set_masklen(p_address, CASE family(p_address) WHEN 4 THEN 24 ELSE 48 END));
        v_new_device boolean;
      BEGIN
        -- No weaker than the lock of who bans: a shared one would be handed on from one sign-in to the next.
        SELECT * INTO u FROM users WHERE id = p_user FOR NO KEY UPDATE;
        email := u.email; handle := u.handle; display_name := u.display_name; role := u.role;
        closing_at := u.closing_at; banned_until := u.banned_until; ban_reason := u.ban_reason;

        SELECT CASE
          WHEN u.id IS NULL OR (p_compared IS NOT NULL AND c.password_hash IS DISTINCT FROM p_compared) THEN 'refused'
          WHEN u.status <> 'active' THEN 'banned'
          WHEN t.confirmed_at IS NOT NULL AND NOT p_second_factor THEN 'challenge'
          WHEN n.number_index IS DISTINCT FROM p_number_index THEN 'number'
          WHEN (SELECT count(*) FROM sessions s
                WHERE s.user_id = p_user AND s.ended_at IS NULL AND s.expires_at > p_now) >= p_kept THEN 'full'
          ELSE 'opened' END
        INTO outcome
        FROM (SELECT) one
        LEFT JOIN credentials c ON c.user_id = p_user
        LEFT JOIN totp t ON t.user_id = p_user
        LEFT JOIN user_phones n ON n.user_id = p_user;
        IF outcome IN ('number', 'full') THEN RETURN NEXT; RETURN; END IF;

        -- The same password under other parameters. Nobody sets another without the user's lock.
        IF p_renewed IS NOT NULL AND outcome <> 'refused' THEN
          UPDATE credentials SET password_hash = p_renewed WHERE user_id = p_user;
        END IF;

        IF outcome = 'challenge' THEN
          INSERT INTO second_factor_challenges (token_hash, user_id, proof, created_at, expires_at)
          VALUES (p_challenge_hash, p_user, p_proof, p_now, p_challenge_expires_at);
        ELSIF outcome = 'opened' THEN
          -- Whether the user has had sessions, but none on this device: by its fingerprint, or, both without one, the same
          -- kind of client in the same network (/24, /48).
          v_new_device := NOT EXISTS (
            SELECT FROM sessions s WHERE s.user_id = p_user AND s.fingerprint IS NOT DISTINCT FROM p_fingerprint
              AND (p_fingerprint IS NOT NULL OR (s.device IS NOT DISTINCT FROM p_device
                AND (s.address <<= v_network OR (s.address IS NULL AND v_network IS NULL))))
          ) AND EXISTS (SELECT FROM sessions s WHERE s.user_id = p_user);
          INSERT INTO sessions (id, user_id, proof, second_factor, user_agent, device, address, fingerprint, jkt,
                                created_at, last_used_at, expires_at)
          VALUES (p_session, p_user, p_proof, p_second_factor, p_user_agent, p_device, p_address, p_fingerprint, p_jkt,
                  p_now, p_now, p_expires_at);
          INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at)
          VALUES (p_token_hash, p_session, p_now, p_expires_at);
          PERFORM known_devices_seen(p_user, p_devices, true, p_now);
          INSERT INTO outbox (id, topic, payload, request_id)
          VALUES (p_event, p_topic, jsonb_build_object('userId', p_user, 'sessionId', p_session, 'newDevice', v_new_device),
                  p_request);
          INSERT INTO audit_log (id, at, actor_id, action, subject_type, subject_id, details, request_id)
          VALUES (p_audit, parley_now(), p_user, 'auth.signed-in', 'session', p_session,
                  jsonb_build_object('proof', p_proof, 'secondFactor', p_second_factor), p_request);
        END IF;

        IF p_attempts IS NOT NULL THEN PERFORM attempt_finish(p_attempts, p_cleared); END IF;
        RETURN NEXT;
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION sign_in, known_devices_seen, attempt_finish;

      CREATE OR REPLACE FUNCTION attempt_begin(
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
    `);
  }
}
