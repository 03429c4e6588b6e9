import { describe, expect, it } from '@jest/globals';
import {
  OPEN_STATES,
  WITHDRAWAL_STATES,
  withdrawalMachine,
  type WithdrawalEvent,
} from './withdrawal-machine.js';

describe('a withdrawal', () => {
  it.each<[WithdrawalEvent, string[]]>([
    ['approve', ['requested']],
    ['reject', ['requested']],
    ['submit', ['approved']],
    ['confirm', ['paying']],
    ['fail', ['paying']],
    ['return', ['paid']],
  ])('may %s from %j only', (event, states) => {
    expect(withdrawalMachine.from(event)).toEqual(states);
  });

  it('is paid only after it was approved and the provider was asked', () => {
    const path = (['approve', 'submit', 'confirm'] as const).reduce<string | null>(
      (state, event) => state && withdrawalMachine.next(state as never, event),
      withdrawalMachine.initial,
    );
    expect(path).toBe('paid');
  });

  it('is open until nothing can happen to its money but that it comes back', () => {
    const ended = WITHDRAWAL_STATES.filter((state) => !OPEN_STATES.includes(state));
    expect(ended).toEqual(['paid', ...withdrawalMachine.terminal]);
  });
});
