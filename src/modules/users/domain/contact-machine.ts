import { defineMachine } from '../../../platform/state-machine.js';

/** `removed` is no row any more. */
export type ContactState = 'pending' | 'accepted' | 'declined' | 'removed';
export type ContactEvent = 'accept' | 'decline' | 'ask_again' | 'remove';

/**
 * A request → accepted or declined by whom it was made to. What was declined stays, so that asking does not start anew when
 * it is taken back: neither removing nor a block leads out of it.
 */
export const contactMachine = defineMachine<ContactState, ContactEvent>('contact', {
  initial: 'pending',
  transitions: {
    pending: { accept: 'accepted', decline: 'declined', remove: 'removed' },
    accepted: { remove: 'removed' },
    declined: { ask_again: 'pending' },
    removed: {},
  },
});

const DAY_MS = 86_400_000;

/** From when someone may ask after a request was declined: who declined it at once, who had asked after some days. */
export function mayAskFrom(
  declined: { requesterId: string; answeredAt: Date },
  askerId: string,
  askAgainDays: number,
): Date {
  const wait = declined.requesterId === askerId ? askAgainDays * DAY_MS : 0;
  return new Date(declined.answeredAt.getTime() + wait);
}
