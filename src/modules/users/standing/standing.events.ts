/** Deadlines: the end of a user's ban. */
export const STANDING_DEADLINES = { banEnd: 'user.ban-end' } as const;
