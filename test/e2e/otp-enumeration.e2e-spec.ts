import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import { Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';
import { differenceScore } from '../support/timing.js';
import { Values } from '../support/values.js';

const PAIRS = 100;
/** Tries with each number; the fastest counts, since a pause of the machine only ever adds. */
const ROUNDS = 3;
/** Of samples that do not differ, 1 pair in 15,000 scores above it. */
const LIMIT = 4;

const numberOf = (n: number) => `+1201555${String(n).padStart(4, '0')}`;

describe('whether a number is known', () => {
  let system: System;
  let anyone: Client;
  /** What was answered last to who asked for a code. */
  const challenges = new Map<string, string>();
  const known = Array.from({ length: PAIRS }, (_, n) => numberOf(n));
  const unknown = Array.from({ length: PAIRS }, (_, n) => numberOf(PAIRS + n));

  beforeAll(async () => {
    system = await startSystem({ worker: false });
    anyone = new Client(system.url);
    await new Values(system).givePhones(await new Builders(system).players(PAIRS), known);
    await system.db.query('ANALYZE');
  });
  afterAll(async () => system.stop());

  /** Known and unknown by turns, so that whatever slows the machine slows both. */
  async function compare(
    path: string,
    bodyOf: (phone: string) => object,
  ): Promise<{ score: number; answers: Set<string> }> {
    const fastest = new Map<string, number>();
    const answers = new Set<string>();
    for (let warming = 0; warming < 20; warming += 1)
      await anyone.post(path, { ...bodyOf(''), phone: numberOf(5000 + warming) });
    for (let round = 0; round < ROUNDS; round += 1)
      for (let n = 0; n < PAIRS; n += 1) {
        const pair = [known[n]!, unknown[n]!];
        for (const phone of n % 2 === 0 ? pair : pair.toReversed()) {
          const began = performance.now();
          const { status, data, error } = await anyone.post(path, { ...bodyOf(phone), phone });
          const ms = performance.now() - began;
          fastest.set(phone, Math.min(ms, fastest.get(phone) ?? Infinity));
          const { challengeId, ...told } = data ?? {};
          if (challengeId !== undefined) challenges.set(phone, challengeId);
          answers.add(JSON.stringify([status, told, error?.code, error?.message, error?.details]));
        }
      }
    const timesOf = (numbers: string[]) => numbers.map((phone) => fastest.get(phone)!);
    return { score: differenceScore(timesOf(known), timesOf(unknown)), answers };
  }

  it('is not told by asking for a code, nor by how long it takes', async () => {
    const { score, answers } = await compare('auth/otp/send', () => ({}));
    expect([...answers]).toEqual(['[202,{"expiresIn":600},null,null,null]']);
    expect(score).toBeLessThan(LIMIT);
  }, 120_000);

  it('is not told by guessing a code, nor by how long it takes', async () => {
    await system.db.query(
      `UPDATE otp_challenges SET code_hash = decode(repeat('00', 32), 'hex'), salt = decode(repeat('00', 16), 'hex'),
         expires_at = created_at + interval '10 minutes'`,
    );
    const { score, answers } = await compare('auth/otp/verify', (phone) => ({
      challengeId: challenges.get(phone) ?? 'A'.repeat(43),
      code: '000000',
    }));
    expect([...answers]).toEqual([expect.stringMatching(/^\[401,{},"OTP_INVALID"/)]);
    expect(score).toBeLessThan(LIMIT);
  }, 120_000);
});
