import { describe, expect, it } from '@jest/globals';
import { BET_RESULTS, betMachine } from './bet-machine.js';

describe('a bet', () => {
  it.each(BET_RESULTS)('is graded %s only while it is placed', (result) => {
    expect(betMachine.from(`grade_${result}`)).toEqual(['placed']);
    expect(betMachine.next('placed', `grade_${result}`)).toBe(result);
  });

  it.each(BET_RESULTS)(
    'is regraded %s from every other result, and never from placed or itself',
    (result) => {
      expect(betMachine.from(`regrade_${result}`)).toEqual(BET_RESULTS.filter((other) => other !== result));
      for (const other of BET_RESULTS) {
        expect(betMachine.next(other, `regrade_${result}`)).toBe(other === result ? null : result);
      }
      expect(betMachine.next('placed', `regrade_${result}`)).toBeNull();
    },
  );

  it('has no result that is for good; what its user took back is', () => {
    expect(betMachine.terminal).toEqual(['cancelled']);
    expect(betMachine.from('cancel')).toEqual(['placed']);
    expect(betMachine.from('revive')).toEqual(BET_RESULTS);
  });
});
