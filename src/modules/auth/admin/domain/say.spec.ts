import { describe, expect, it } from '@jest/globals';
import { ROLES, type Role } from '../../../../platform/security/subject.js';
import type { Standing } from '../../../users/standing/standing.types.js';
import { effectOf, longerBan, objectionTo, objectionToSay, type StandingChange } from './say.js';

const SOON = new Date('2026-11-28T00:00:00Z');
const LONGEST = new Date('2026-12-21T00:00:00Z');
const LATE = new Date('2027-11-21T00:00:00Z');

const actor = (role: Role) => ({ id: 'actor', role });
const target = (role: Role = 'user', rest: Partial<Standing> = {}): Standing => ({
  id: 'target',
  role,
  status: 'active',
  bannedUntil: null,
  banReason: null,
  longBan: false,
  ...rest,
});
const banned = (until: Date | null, longBan = false) =>
  target('user', { status: 'banned', bannedUntil: until, banReason: 'spam', longBan });

/** Whom each role has a say about. */
const SAY: Record<Role, Role[]> = {
  user: [],
  seller: [],
  moderator: ['user', 'seller'],
  compliance: ['user', 'seller', 'moderator'],
  admin: ['user', 'seller', 'moderator', 'compliance', 'admin'],
};

describe('a say about another', () => {
  it.each(ROLES)('of a %s reaches those below, and among admins each other', (role) => {
    expect(ROLES.filter((other) => objectionToSay(actor(role), target(other)) === null)).toEqual(SAY[role]);
  });

  it.each(ROLES)('has no %s about themselves', (role) => {
    expect(objectionToSay({ id: 'target', role }, target(role))).toEqual({ kind: 'yourself' });
  });
});

describe('a change of standing', () => {
  const needs = (permission: string) => ({ kind: 'permission', permission });
  const CASES: [string, Role, Standing, StandingChange, unknown][] = [
    ['a moderator bans for a while', 'moderator', target(), { ban: { until: LONGEST } }, null],
    ['a moderator bans for long', 'moderator', target(), { ban: { until: LATE } }, needs('users.ban')],
    ['a moderator bans for good', 'moderator', target(), { ban: { until: null } }, needs('users.ban')],
    ['a moderator lifts a short ban', 'moderator', banned(SOON), { ban: 'lift' }, null],
    ['a moderator lifts a long ban', 'moderator', banned(LATE), { ban: 'lift' }, needs('users.ban')],
    [
      'a moderator shortens a ban for good',
      'moderator',
      banned(null),
      { ban: { until: SOON } },
      needs('users.ban'),
    ],
    [
      'a moderator lifts what is left of a long ban',
      'moderator',
      banned(SOON, true),
      { ban: 'lift' },
      needs('users.ban'),
    ],
    ['compliance lifts what is left of a long ban', 'compliance', banned(SOON, true), { ban: 'lift' }, null],
    ['a moderator makes a seller', 'moderator', target(), { role: 'seller' }, needs('users.role')],
    ['compliance bans for good', 'compliance', target('moderator'), { ban: { until: null } }, null],
    ['compliance lifts a ban for good', 'compliance', banned(null), { ban: 'lift' }, null],
    ['compliance makes an admin', 'compliance', target(), { role: 'admin' }, needs('users.role')],
    ['compliance bans an admin', 'compliance', target('admin'), { ban: { until: SOON } }, { kind: 'rank' }],
    ['an admin makes an admin', 'admin', target(), { role: 'admin' }, null],
    [
      'an admin unmakes and bans an admin',
      'admin',
      target('admin'),
      { role: 'user', ban: { until: null } },
      null,
    ],
  ];

  it.each(CASES)('%s', (_, role, whom, change, expected) => {
    expect(objectionTo(actor(role), whom, change, LONGEST)).toEqual(expected);
  });

  it.each<[string, Standing, StandingChange, StandingChange]>([
    ['the role they have', target('seller'), { role: 'seller' }, {}],
    ['another role', target(), { role: 'seller' }, { role: 'seller' }],
    ['no ban, and there is none', target(), { ban: 'lift' }, {}],
    ['no ban, and there is one', banned(SOON), { ban: 'lift' }, { ban: 'lift' }],
    ['the ban they have', banned(SOON), { ban: { until: new Date(SOON) } }, {}],
    ['the ban for good they have', banned(null), { ban: { until: null } }, {}],
    ['a ban that ends later', banned(SOON), { ban: { until: LATE } }, { ban: { until: LATE } }],
    ['a ban that never ends', banned(SOON), { ban: { until: null } }, { ban: { until: null } }],
    [
      'a ban that ends instead of one that never does',
      banned(null),
      { ban: { until: SOON } },
      { ban: { until: SOON } },
    ],
  ])('changes only what differs: %s', (_, whom, wanted, expected) => {
    expect(effectOf(whom, wanted, 'spam')).toEqual(expected);
  });

  it('changes the reason of a ban', () => {
    expect(effectOf(banned(SOON), { ban: { until: SOON } }, 'fraud')).toEqual({ ban: { until: SOON } });
  });

  it('by a report shortens no ban', () => {
    expect(longerBan(target(), SOON)).toEqual(SOON);
    expect(longerBan(banned(LATE), SOON)).toEqual(LATE);
    expect(longerBan(banned(SOON), LATE)).toEqual(LATE);
    expect(longerBan(banned(null), LATE)).toBeNull();
    expect(longerBan(banned(LATE), null)).toBeNull();
  });
});
