import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People, their sessions, and what bars them from staking. */
export class UsersAndAuth1763700000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        email text NOT NULL,
        handle text NOT NULL CHECK (handle ~ '^[A-Za-z0-9_]{3,20}$'),
        display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 60),
        birth_date date NOT NULL,
        role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
        status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'banned')),
        terms_version text NOT NULL,
        terms_accepted_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL
      );
      CREATE UNIQUE INDEX ux_users_email ON users (lower(email));
      CREATE UNIQUE INDEX ux_users_handle ON users (lower(handle));

      CREATE TABLE credentials (
        user_id uuid PRIMARY KEY REFERENCES users,
        password_hash text NOT NULL,
        changed_at timestamptz NOT NULL
      );

      CREATE TABLE sessions (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        user_agent text,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz,
        end_reason text CHECK (end_reason IN ('logout', 'refresh_reused', 'banned', 'expired'))
      );
      CREATE INDEX ix_sessions_user_live ON sessions (user_id) WHERE ended_at IS NULL;
      CREATE INDEX ix_sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
      CREATE INDEX ix_sessions_cleanup ON sessions USING brin (expires_at); -- brin: a refresh stays a HOT update

      CREATE TABLE refresh_tokens (
        token_hash bytea PRIMARY KEY,
        session_id uuid NOT NULL REFERENCES sessions,
        issued_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
      );
      CREATE INDEX ix_refresh_tokens_session ON refresh_tokens (session_id);
      CREATE INDEX ix_refresh_tokens_cleanup ON refresh_tokens USING brin (expires_at);

      -- Time-outs and self-exclusions. A row never changes; it ends when it says, permanent ones never.
      CREATE TABLE restrictions (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        kind text NOT NULL CHECK (kind IN ('time_out', 'self_exclusion')),
        starts_at timestamptz NOT NULL,
        ends_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CHECK (ends_at > starts_at),
        CHECK (kind = 'self_exclusion' OR ends_at IS NOT NULL)
      );
      CREATE INDEX ix_restrictions_user_end ON restrictions (user_id, ends_at);
      CREATE TRIGGER restrictions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON restrictions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      -- compliance's face in SQL: why this user may not stake at that moment, or null. The caller has entered the
      -- user's gate (parley_gate_enter(user)), which excluding someone shuts.
      CREATE FUNCTION compliance_refusal(p_user uuid, p_at timestamptz, p_minimum_age int)
      RETURNS TABLE (code text) LANGUAGE sql STABLE AS $$ -- a set, so that the planner inlines it
        SELECT CASE
          WHEN u.status = 'banned' THEN 'ACCOUNT_BANNED'
          WHEN EXISTS (SELECT FROM restrictions r WHERE r.user_id = u.id AND r.kind = 'self_exclusion'
                       AND r.starts_at <= p_at AND (r.ends_at IS NULL OR r.ends_at > p_at)) THEN 'SELF_EXCLUDED'
          WHEN EXISTS (SELECT FROM restrictions r WHERE r.user_id = u.id AND r.kind = 'time_out'
                       AND r.starts_at <= p_at AND r.ends_at > p_at) THEN 'TIMED_OUT'
          WHEN u.birth_date + make_interval(years => p_minimum_age) > (p_at AT TIME ZONE 'UTC') THEN 'UNDER_AGE'
        END
        FROM users u WHERE u.id = p_user
      $$;

      -- Everyone who may not stake at that moment, for joining a whole list.
      CREATE FUNCTION compliance_barred(p_at timestamptz, p_minimum_age int) RETURNS TABLE (user_id uuid)
      LANGUAGE sql STABLE AS $$
        SELECT r.user_id FROM restrictions r WHERE r.starts_at <= p_at AND (r.ends_at IS NULL OR r.ends_at > p_at)
        UNION
        SELECT u.id FROM users u WHERE u.status = 'banned'
          OR u.birth_date + make_interval(years => p_minimum_age) > (p_at AT TIME ZONE 'UTC')
      $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION compliance_barred, compliance_refusal;
      DROP TABLE restrictions, refresh_tokens, sessions, credentials, users;
    `);
  }
}
