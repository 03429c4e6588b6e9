import { describe, expect, it } from '@jest/globals';
import { contactMachine, mayAskFrom } from './contact-machine.js';

describe('a contact', () => {
  it.each([
    ['pending', 'accept', 'accepted'],
    ['pending', 'decline', 'declined'],
    ['pending', 'remove', 'removed'],
    ['pending', 'ask_again', null],
    ['accepted', 'remove', 'removed'],
    ['accepted', 'accept', null],
    ['accepted', 'decline', null],
    ['accepted', 'ask_again', null],
    ['declined', 'ask_again', 'pending'],
    ['declined', 'accept', null],
    ['declined', 'decline', null],
    ['declined', 'remove', null],
    ['removed', 'ask_again', null],
    ['removed', 'accept', null],
  ] as const)('that is %s, on %s, becomes %s', (state, event, target) => {
    expect(contactMachine.next(state, event)).toBe(target);
  });

  it('that was declined may be asked for at once by who declined, and after the days by who asked', () => {
    const declined = { requesterId: 'ada', answeredAt: new Date('2023-10-03T12:00:00Z') };
    expect(mayAskFrom(declined, 'bob', 30)).toEqual(declined.answeredAt);
    expect(mayAskFrom(declined, 'ada', 30)).toEqual(new Date('2023-11-02T12:00:00Z'));
    expect(mayAskFrom(declined, 'ada', 0)).toEqual(declined.answeredAt);
  });
});
