/** Deadlines: the reality check of a session. */
export const REALITY_CHECK_DEADLINES = { due: 'session.reality-check' } as const;

/** Told on `/notifications`, to the sockets of the session: `{ dueAt, everyMinutes, session }` as `GET compliance/reality-check` has them. */
export const REALITY_CHECK_TOLD = 'session:reality-check';
