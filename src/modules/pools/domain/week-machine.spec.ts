import { describe, expect, it } from '@jest/globals';
import { weekMachine } from './week-machine.js';

describe('a week', () => {
  it.each([
    ['group', 'open', 'grouped'],
    ['close', 'grouped', 'closed'],
    ['settle', 'closed', 'settled'],
  ] as const)('%s leads from %s to %s only', (event, from, to) => {
    expect(weekMachine.from(event)).toEqual([from]);
    expect(weekMachine.next(from, event)).toBe(to);
  });

  it('ends settled', () => {
    expect(weekMachine.initial).toBe('open');
    expect(weekMachine.terminal).toEqual(['settled']);
  });
});
