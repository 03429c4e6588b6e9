import { describe, expect, it } from '@jest/globals';
import { newTotpSecret, stepOf, totpUri } from './totp-codes.js';

/** "12345678901234567890", of RFC 6238, appendix B, in base32. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const at = (seconds: number) => new Date(seconds * 1000);

describe('TOTP codes', () => {
  // The RFC's eight digits, of which six are asked for.
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('are at %i s those of the RFC', (seconds, code) => {
    expect(stepOf(code, SECRET, at(seconds), null)).toBe(Math.floor(seconds / 30));
  });

  it('are taken one step early and late, and not two', () => {
    const step = Math.floor(1_111_111_109 / 30);
    const taken = [-60, -30, 0, 30, 60].map((shift) =>
      stepOf('081804', SECRET, at(30 * step + 7 + shift), null),
    );
    expect(taken).toEqual([null, step, step, step, null]);
  });

  it('are not taken at or before the step that was taken last', () => {
    expect(stepOf('287082', SECRET, at(59), 0)).toBe(1);
    expect(stepOf('287082', SECRET, at(59), 1)).toBeNull();
    expect(stepOf('287082', SECRET, at(59), 1e9)).toBeNull();
  });

  it('are not taken when wrong', () => {
    for (const code of ['287083', '000000']) expect(stepOf(code, SECRET, at(59), null)).toBeNull();
  });

  it('are of a secret of 160 random bits that an authenticator can read', () => {
    const secrets = Array.from({ length: 50 }, newTotpSecret);
    expect(new Set(secrets).size).toBe(50);
    for (const secret of secrets) expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const uri = new URL(totpUri(SECRET, 'ada & co'));
    expect([uri.protocol, decodeURIComponent(uri.pathname), uri.searchParams.get('secret')]).toEqual([
      'otpauth:',
      expect.stringContaining('Parley:ada & co'),
      SECRET,
    ]);
  });
});
