import type { Role, Subject } from '../../src/platform/security/subject.js';

/** Somebody who asks in a session that no test looks at. */
export function aSubject(userId: string, role: Role): Subject {
  return {
    userId,
    sessionId: '',
    role,
    birthDate: '1990-01-01',
    ageVerified: false,
    checkedAt: new Date(8.64e15),
    checkMinutes: null,
    endsIdle: false,
  };
}
