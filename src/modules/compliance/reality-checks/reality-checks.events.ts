/** Deadlines: the reality check of a session. */
export const REALITY_CHECK_DEADLINES = { due: 'session.reality-check' } as const;
