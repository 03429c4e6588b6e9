/** The accounts of the first start. */
export const ACCOUNTS = {
  ada: { email: 'ada@example.com', handle: 'ada', displayName: 'Ada', birthDate: '1990-12-10' },
  bob: { email: 'bob@example.com', handle: 'bob', displayName: 'Bob', birthDate: '1985-06-01' },
  admin: { email: 'admin@example.com', handle: 'admin' },
} as const;

/** Week, file and clock of the first start: the pools of a week in which NFL games are about to begin. */
export const FIRST_WEEK = '2023-W40';
export const FIRST_SEASON = 'data/seasons/nfl-2023.csv';
export const BEFORE_THE_DRAW = '2023-10-01T20:00:00-04:00';
export const AFTER_THE_DRAW = '2023-10-02T09:00:00-04:00';
