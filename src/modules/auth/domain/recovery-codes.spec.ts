import { describe, expect, it } from '@jest/globals';
import { hashOfRecoveryCode, newRecoveryCode, RECOVERY_CODE } from './recovery-codes.js';

describe('recovery codes', () => {
  it('are four groups of four, and never the same', () => {
    const codes = Array.from({ length: 1000 }, newRecoveryCode);
    for (const code of codes) expect(code).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
    expect(new Set(codes).size).toBe(1000);
  });

  it('use every letter about as often', () => {
    const letters = Array.from({ length: 2000 }, newRecoveryCode).join('').replaceAll('-', '');
    const counts = Map.groupBy(letters, (letter) => letter);
    expect(counts.size).toBe(32);
    for (const same of counts.values()) expect(same.length).toBeGreaterThan(700);
  });

  it('are the same however they are typed', () => {
    const typed = ['k3vd-7qpa-x2mn-yb6t', 'K3VD7QPAX2MNYB6T', 'k3vd7qpa-x2mnyb6t'];
    for (const code of typed) expect(code).toMatch(RECOVERY_CODE);
    expect(new Set(typed.map((code) => hashOfRecoveryCode(code).toString('hex'))).size).toBe(1);
  });

  it.each([
    '',
    '123456',
    'k3vd-7qpa-x2mn',
    'k3vd-7qpa-x2mn-yb6t-aaaa',
    'k3vd--7qpax2mnyb6t',
    'k3v1-7qpa-x2mn-yb6t',
  ])('are not such as %j', (text) => {
    expect(text).not.toMatch(RECOVERY_CODE);
  });
});
