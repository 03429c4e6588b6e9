import { describe, expect, it } from '@jest/globals';
import { toDomainError } from './domain-error.filter.js';

describe('what Postgres refuses of a value', () => {
  it.each(['22021', '22P05', '22003', '22P02', '22007', '22008'])("is the caller's mistake: %s", (code) => {
    const error = toDomainError(Object.assign(new Error('refused'), { code }));
    expect([error.code, error.spec.status]).toEqual(['VALIDATION_FAILED', 400]);
  });

  it('is ours where the statement is at fault', () => {
    expect(toDomainError(Object.assign(new Error('syntax'), { code: '42601' })).code).toBe('INTERNAL_ERROR');
  });
});
