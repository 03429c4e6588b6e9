import { generateSecret, generateURI, verifySync } from 'otplib';

const ISSUER = 'Parley';
const STEP_SECONDS = 30;

/** A new secret of 160 bits, in base32. */
export const newTotpSecret = (): string => generateSecret();

/** What authenticator apps read from a QR code. */
export function totpUri(secret: string, account: string): string {
  return generateURI({ issuer: ISSUER, label: account, secret });
}

/**
 * The step (RFC 6238: 30 s, SHA-1, 6 digits) whose code this is: the present one or a neighbour, for clocks that differ;
 * none at or before `lastStep`. Null when the code is wrong.
 */
export function stepOf(code: string, secret: string, now: Date, lastStep: number | null): number | null {
  const result = verifySync({
    secret,
    token: code,
    epoch: Math.floor(now.getTime() / 1000),
    epochTolerance: STEP_SECONDS,
  });
  if (!result.valid || !('timeStep' in result)) return null;
  return lastStep === null || result.timeStep > lastStep ? result.timeStep : null;
}
