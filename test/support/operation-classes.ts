/** What every operation is to the rules of play, in the tests' own words: the router is held against it. */
export const STAKES = ['POST /api/v1/bets', 'POST /api/v1/bets/quote'];
export const DEPOSITS = ['POST /api/v1/payments/checkout', 'POST /api/v1/wallet/deposits'];
export const WITHDRAWALS = ['POST /api/v1/wallet/withdrawals'];
export const SOCIAL = [
  'POST /api/v1/contacts/request',
  'POST /api/v1/users/{id}/follow',
  'PUT /api/v1/contacts/{id}/accept',
];
/** About oneself, and still nothing for who is in a closed place: an account is opened to play. */
export const OPENINGS = ['POST /api/v1/auth/register'];
/** What is read of the games and of others; everything else that is a GET is about oneself, the operator's or a machine's. */
export const READS = [
  'GET /api/v1/bets',
  'GET /api/v1/bets/exposure',
  'GET /api/v1/bets/{id}',
  'GET /api/v1/bets/{id}/share',
  'GET /api/v1/contacts',
  'GET /api/v1/events',
  'GET /api/v1/events/{id}',
  'GET /api/v1/events/{id}/markets',
  'GET /api/v1/games',
  'GET /api/v1/games/{id}',
  'GET /api/v1/games/{id}/markets',
  'GET /api/v1/markets/{id}',
  'GET /api/v1/markets/{id}/odds/history',
  'GET /api/v1/me/pool',
  'GET /api/v1/shared-bets/{code}',
  'GET /api/v1/users',
  'GET /api/v1/users/{handle}',
  'GET /api/v1/users/{handle}/followers',
  'GET /api/v1/users/{handle}/following',
  'GET /api/v1/weeks/{id}',
  'GET /api/v1/weeks/{id}/draw',
  'GET /api/v1/weeks/{id}/pools',
  'GET /api/v1/weeks/{id}/pools/{poolId}/leaderboard',
  'GET /api/v1/weeks/{id}/pools/{poolId}/members',
  'GET /api/v1/weeks/{id}/pools/{poolId}/prizes',
];

const CLASSES = {
  stake: STAKES,
  deposit: DEPOSITS,
  withdraw: WITHDRAWALS,
  social: SOCIAL,
  opening: OPENINGS,
  read: READS,
} as const;

/** What the tests hold an operation to be; null: about oneself, the operator's work, or a machine's. */
export function classOf(name: string): keyof typeof CLASSES | null {
  const found = Object.entries(CLASSES).find(([, names]) => names.includes(name));
  return (found?.[0] as keyof typeof CLASSES | undefined) ?? null;
}
