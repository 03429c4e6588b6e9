import type { System } from './system.js';

/** Told behind the back of requests: a session was used, and where, whatever came of it. */
const UNSEEN: Record<string, string> = {
  sessions: "- 'last_used_at' - 'check_minutes' - 'ends_idle' - 'zone'",
};
const LEFT_OUT: Record<string, string> = {
  deadlines: "WHERE kind <> 'session.reality-check'",
  audit_seals: 'WHERE false', // the worker seals what was committed before
};

/** The count of every table's rows and a hash of what they hold: equal before and after when nothing was changed. */
export async function fingerprint(system: System): Promise<Record<string, string>> {
  const { rows: tables } = await system.db.query<{ name: string }>(
    "SELECT c.relname AS name FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1",
  );
  const { rows } = await system.db.query<{ name: string; state: string }>(
    tables
      .map(
        ({ name }) =>
          `SELECT '${name}' AS name, count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY t::text)), '') AS state
           FROM (SELECT to_jsonb(r) ${UNSEEN[name] ?? ''} AS t FROM "${name}" r ${LEFT_OUT[name] ?? ''}) rows`,
      )
      .join(' UNION ALL '),
  );
  return Object.fromEntries(rows.map(({ name, state }) => [name, state]));
}
