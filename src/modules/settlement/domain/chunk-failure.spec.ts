import { describe, expect, it } from '@jest/globals';
import { chunkFailure } from './chunk-failure.js';

describe('the failure of a chunk', () => {
  it('is told by code, table and constraint, and never by its message', () => {
    const driverError = {
      message: 'new row for player@example.com violates',
      code: '23514',
      detail: 'chunk 12',
      table: 'pool_members',
      constraint: 'pool_members_balance_check',
    };
    expect(chunkFailure({ driverError })).toEqual({
      number: 12,
      error: '23514 pool_members pool_members_balance_check',
    });
    expect(chunkFailure({ driverError: { code: '57014', detail: 'chunk 3', table: '' } })).toEqual({
      number: 3,
      error: '57014',
    });
  });

  it.each([new Error('lost'), { driverError: { code: '08006' } }, { driverError: { detail: 'chunk x' } }])(
    'is of no chunk when none was claimed (%j)',
    (error) => {
      expect(chunkFailure(error)).toBeNull();
    },
  );
});
