import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Profiles and their search, and what stands between two people: follows, blocks, mutes, contacts. */
export class People1763700000014 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE EXTENSION IF NOT EXISTS pg_trgm'); // trusted: needs no superuser
    // lower() of a C database leaves all but ASCII as it is; these collations know every letter, whatever the database's.
    const [collation] = (await queryRunner.query(
      "SELECT collname FROM pg_collation WHERE collname IN ('pg_c_utf8', 'und-x-icu') ORDER BY collname LIMIT 1",
    )) as { collname: string }[];
    const collate = collation ? `COLLATE "${collation.collname}"` : '';
    await queryRunner.query(`
      -- How text is compared in a search: without case, accents or compatibility forms.
      CREATE FUNCTION users_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT lower(regexp_replace(normalize(value, NFKD), '[\\u0300-\\u036f\\ufe00-\\ufe0f]', '', 'g') ${collate})
      $$;

      -- What a user tells of themselves. The keys are the name and handle of users, folded, kept by its trigger.
      CREATE TABLE profiles (
        user_id uuid PRIMARY KEY REFERENCES users,
        bio text CHECK (char_length(bio) BETWEEN 1 AND 500),
        avatar_url text CHECK (avatar_url ~ '^https://' AND char_length(avatar_url) <= 500),
        country text CHECK (country ~ '^[A-Z]{2}$'),
        favourite_sports text[] NOT NULL DEFAULT '{}' CHECK (cardinality(favourite_sports) <= 20),
        handle_changed_at timestamptz,
        handle_key text NOT NULL,
        name_key text NOT NULL,
        names tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', handle_key || ' ' || name_key)) STORED,
        words tsvector NOT NULL GENERATED ALWAYS AS (
          setweight(to_tsvector('simple', handle_key || ' ' || name_key), 'A')
          || setweight(to_tsvector('simple', coalesce(users_fold(bio), '')), 'C')) STORED
      );
      CREATE INDEX ix_profiles_handle ON profiles (handle_key COLLATE "C");
      CREATE INDEX ix_profiles_name ON profiles (name_key COLLATE "C");
      CREATE INDEX ix_profiles_names ON profiles USING gin (names); -- a weight in a query of words would recheck each row
      CREATE INDEX ix_profiles_words ON profiles USING gin (words);
      CREATE INDEX ix_profiles_similar ON profiles USING gin ((handle_key || ' ' || name_key) gin_trgm_ops);

      -- A handle given up belongs to nobody else for a while: links to it must not lead to a stranger.
      CREATE TABLE handle_reservations (
        handle text PRIMARY KEY CHECK (handle = lower(handle)),
        user_id uuid NOT NULL REFERENCES users,
        until timestamptz NOT NULL
      );
      CREATE INDEX ix_handle_reservations_user ON handle_reservations (user_id);
      CREATE INDEX ix_handle_reservations_until ON handle_reservations (until);

      -- Whatever changes between two people locks both their rows here first, in the order of their ids: so follows,
      -- blocks and contacts of a pair come one after the other, and the counts are right.
      CREATE TABLE social_counts (
        user_id uuid PRIMARY KEY REFERENCES users,
        followers int NOT NULL DEFAULT 0 CHECK (followers >= 0),
        following int NOT NULL DEFAULT 0 CHECK (following >= 0)
      ) WITH (fillfactor = 50); -- the row of a celebrity changes often, in place

      CREATE TABLE follows (
        follower_id uuid NOT NULL REFERENCES users,
        followee_id uuid NOT NULL REFERENCES users,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (follower_id, followee_id),
        CHECK (follower_id <> followee_id)
      );
      CREATE INDEX ix_follows_followers ON follows (followee_id, created_at, follower_id);
      CREATE INDEX ix_follows_following ON follows (follower_id, created_at, followee_id);

      CREATE TABLE blocks (
        blocker_id uuid NOT NULL REFERENCES users,
        blocked_id uuid NOT NULL REFERENCES users,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (blocker_id, blocked_id),
        CHECK (blocker_id <> blocked_id)
      );
      CREATE INDEX ix_blocks_blocked ON blocks (blocked_id, blocker_id);
      CREATE INDEX ix_blocks_list ON blocks (blocker_id, created_at, blocked_id);

      CREATE TABLE mutes (
        muter_id uuid NOT NULL REFERENCES users,
        muted_id uuid NOT NULL REFERENCES users,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (muter_id, muted_id),
        CHECK (muter_id <> muted_id)
      );
      CREATE INDEX ix_mutes_muted ON mutes (muted_id);
      CREATE INDEX ix_mutes_list ON mutes (muter_id, created_at, muted_id);

      -- One row a pair, whoever asked.
      CREATE TABLE contacts (
        id uuid PRIMARY KEY,
        low_id uuid NOT NULL REFERENCES users,
        high_id uuid NOT NULL REFERENCES users,
        requester_id uuid NOT NULL,
        status text NOT NULL CHECK (status IN ('pending', 'accepted', 'declined')),
        requested_at timestamptz NOT NULL,
        answered_at timestamptz,
        CONSTRAINT ux_contacts_pair UNIQUE (low_id, high_id),
        CHECK (low_id < high_id),
        CHECK (requester_id IN (low_id, high_id)),
        CHECK ((status = 'pending') = (answered_at IS NULL))
      );
      CREATE INDEX ix_contacts_low ON contacts (low_id, requested_at, id);
      CREATE INDEX ix_contacts_high ON contacts (high_id, requested_at, id);

      -- users' face in SQL: whether either has blocked the other.
      CREATE FUNCTION users_blocked(a uuid, b uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
        SELECT EXISTS (SELECT FROM blocks WHERE blocker_id = a AND blocked_id = b)
            OR EXISTS (SELECT FROM blocks WHERE blocker_id = b AND blocked_id = a)
      $$;
    `);
    await queryRunner.query(`
      CREATE FUNCTION users_prepare_profile() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'INSERT' THEN
          INSERT INTO profiles (user_id, handle_key, name_key)
          VALUES (NEW.id, users_fold(NEW.handle), users_fold(NEW.display_name));
          INSERT INTO social_counts (user_id) VALUES (NEW.id);
        ELSE
          UPDATE profiles SET handle_key = users_fold(NEW.handle), name_key = users_fold(NEW.display_name)
          WHERE user_id = NEW.id;
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER users_profile AFTER INSERT OR UPDATE OF handle, display_name ON users
        FOR EACH ROW EXECUTE FUNCTION users_prepare_profile();

      -- Looks after the row is in the unique index: who waited there for the one that gave the handle up sees that one's
      -- reservation. It is refused as a taken handle is.
      CREATE FUNCTION users_refuse_reserved_handle() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
      BEGIN
        IF EXISTS (SELECT FROM handle_reservations
                   WHERE handle = lower(NEW.handle) AND user_id <> NEW.id AND until > parley_now()) THEN
          RAISE unique_violation USING CONSTRAINT = 'ux_users_handle', TABLE = 'users',
            MESSAGE = 'the handle is reserved for who gave it up';
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER users_reserved_handle AFTER INSERT OR UPDATE OF handle ON users
        FOR EACH ROW EXECUTE FUNCTION users_refuse_reserved_handle();

      INSERT INTO profiles (user_id, handle_key, name_key)
        SELECT id, users_fold(handle), users_fold(display_name) FROM users;
      INSERT INTO social_counts (user_id) SELECT id FROM users;
    `);
    await queryRunner.query(`
      -- At most p_cap active users that the viewer may see, best first: the handle itself, what begins with the text, then by
      -- likeness, then by words. Each way of finding gives p_cap candidates at most, so that "a" costs no more than a name.
      -- Likeness is looked for only when little else is found: a name that many bear needs no guessing.
      CREATE FUNCTION users_search(p_viewer uuid, p_text text, p_cap int)
      RETURNS TABLE (user_id uuid, place bigint) LANGUAGE plpgsql STABLE
      SET pg_trgm.word_similarity_threshold = 0.5
      SET plan_cache_mode = force_custom_plan
      SET enable_seqscan = off -- LIMIT makes the planner bet on finding rare words early
      AS $$
      DECLARE
        q text := users_fold(p_text);
        past text := q || chr(1114111);
        wanted tsquery := (SELECT string_agg('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || ''':*', ' & ')
          FROM unnest(tsvector_to_array(to_tsvector('simple', q))) AS l (lexeme));
        found uuid[];
      BEGIN
        found := ARRAY(
          (SELECT p.user_id FROM profiles p WHERE p.handle_key COLLATE "C" >= q AND p.handle_key COLLATE "C" < past
           ORDER BY p.handle_key COLLATE "C" LIMIT p_cap)
          UNION
          (SELECT p.user_id FROM profiles p WHERE p.name_key COLLATE "C" >= q AND p.name_key COLLATE "C" < past
           ORDER BY p.name_key COLLATE "C" LIMIT p_cap)
          UNION
          (SELECT p.user_id FROM profiles p WHERE p.names @@ wanted LIMIT p_cap));
        IF cardinality(found) < p_cap THEN
          found := found || ARRAY(SELECT p.user_id FROM profiles p WHERE p.words @@ wanted LIMIT p_cap);
        END IF;
        IF cardinality(found) < p_cap / 10 AND show_trgm(q) <> '{}' -- without trigrams the index is read from end to end
           AND NOT EXISTS (SELECT FROM profiles p WHERE p.handle_key COLLATE "C" = q) THEN
          found := found || ARRAY(
            SELECT alike.user_id FROM (
              SELECT p.user_id, p.handle_key || ' ' || p.name_key AS key FROM profiles p
              WHERE q <% (p.handle_key || ' ' || p.name_key) LIMIT 10 * p_cap) alike
            ORDER BY word_similarity(q, alike.key) DESC, alike.user_id LIMIT p_cap);
        END IF;
        RETURN QUERY
          SELECT u.id, row_number() OVER (ORDER BY
            p.handle_key = q DESC,
            (starts_with(p.handle_key, q) OR starts_with(p.name_key, q)) DESC,
            greatest(word_similarity(q, p.handle_key), word_similarity(q, p.name_key)) DESC,
            ts_rank(p.words, wanted) DESC NULLS LAST,
            u.id)
          FROM (SELECT DISTINCT unnest(found)) AS f (id) JOIN users u USING (id) JOIN profiles p ON p.user_id = u.id
          WHERE u.status = 'active' AND u.closing_at IS NULL AND NOT users_blocked(p_viewer, u.id)
          ORDER BY 2 LIMIT p_cap;
      END $$;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION users_search, users_blocked;
      DROP TRIGGER users_profile ON users;
      DROP TRIGGER users_reserved_handle ON users;
      DROP FUNCTION users_prepare_profile, users_refuse_reserved_handle;
      DROP TABLE contacts, mutes, blocks, follows, social_counts, handle_reservations, profiles;
      DROP FUNCTION users_fold;
      DROP EXTENSION IF EXISTS pg_trgm;
    `);
  }
}
