import { ROLES, type Role } from './subject.js';

/** The closed list of what only some roles may do: one for each admin operation, and for what goes further within one. */
export const PERMISSIONS = [
  'weeks.draw',
  'weeks.settle',
  'settlements.read',
  'passes.grant',
  'games.result',
  'markets.suspend',
  'markets.resume',
  'markets.void',
  'markets.limit',
  'markets.offer', // props of an operator's own
  'markets.price',
  'bets.limit', // what one user may stake
  'feeds.read',
  'feeds.decide', // about what feeds said and is not believed
  'users.read',
  'users.contact', // emails, in the list of users
  'users.update', // bans for a time, and lifting them
  'users.ban', // bans for good
  'users.role',
  'users.secondFactor', // taking it away from who has lost theirs
  'payments.read',
  'payments.refund',
  'withdrawals.read',
  'withdrawals.decide',
  'payments.reconcile', // closing differences between our books and a provider's
  'audit.read',
  'audit.export',
  'ledger.verify',
  'kyc.review', // documents included
  'reports.read',
  'reports.decide',
  'harm.review', // signs of harm, and what was done about them
  'queues.read',
  'queues.inspect',
  'queues.retry',
  'clock.move',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What each role may do beyond what every signed-in user may. */
const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  user: [],
  seller: [],
  moderator: ['users.read', 'users.update', 'reports.read', 'reports.decide'],
  compliance: [
    'users.read',
    'users.contact',
    'users.update',
    'users.ban',
    'bets.limit',
    'payments.read',
    'withdrawals.read',
    'withdrawals.decide',
    'kyc.review',
    'harm.review',
    'audit.read',
    'audit.export',
  ],
  admin: PERMISSIONS,
};

/** From least to most: who ranks lower has no say about who ranks higher. Two roles may share a rank. */
const RANKS: Readonly<Record<Role, number>> = { user: 0, seller: 0, moderator: 1, compliance: 2, admin: 3 };

const SETS = new Map(ROLES.map((role) => [role, new Set<Permission>(ROLE_PERMISSIONS[role])]));

export function permissionsOf(role: Role): readonly Permission[] {
  return ROLE_PERMISSIONS[role];
}

export function mayDo(role: Role, permission: Permission): boolean {
  return SETS.get(role)?.has(permission) ?? false;
}

/** The roles that may do at least one of these. */
export function rolesThatMay(...permissions: readonly Permission[]): readonly Role[] {
  return ROLES.filter((role) => permissions.some((permission) => mayDo(role, permission)));
}

/** Whether someone of one role stands above someone of another. */
export function outranks(role: Role, other: Role): boolean {
  return RANKS[role] > RANKS[other];
}
