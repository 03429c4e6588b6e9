import { describe, expect, it } from '@jest/globals';
import { gameMachine, isOutcomeOf, MARKET_KINDS, marketMachine, OUTCOMES } from './markets.js';

describe('markets', () => {
  it('have two outcomes each', () => {
    expect(MARKET_KINDS).toEqual(['moneyline', 'spread', 'total']);
    for (const kind of MARKET_KINDS) expect(OUTCOMES[kind]).toHaveLength(2);
  });

  it('know their own outcomes only', () => {
    expect(isOutcomeOf('total', 'over')).toBe(true);
    expect(isOutcomeOf('total', 'home')).toBe(false);
    expect(isOutcomeOf('moneyline', 'draw')).toBe(false);
  });

  it.each([
    ['suspend', ['open'], 'suspended'],
    ['resume', ['suspended'], 'open'],
    ['close', ['open', 'suspended'], 'closed'],
    ['reopen', ['closed'], 'open'],
    ['settle', ['open', 'suspended', 'closed'], 'settled'],
    ['void', ['open', 'suspended', 'closed', 'settled'], 'voided'],
    ['resettle', ['settled', 'voided'], 'settled'],
  ] as const)('%s leaves %j for %s', (event, states, target) => {
    expect(marketMachine.from(event)).toEqual(states);
    for (const state of states) expect(marketMachine.next(state, event)).toBe(target);
  });

  it('never settles for good: every decision can be decided again', () => {
    expect(marketMachine.terminal).toEqual([]);
  });
});

describe('games', () => {
  it.each([
    ['start', ['scheduled'], 'in_progress'],
    ['stand', ['in_progress'], 'in_progress'],
    ['finish', ['in_progress', 'postponed', 'scheduled'], 'final'],
    ['postpone', ['in_progress', 'scheduled'], 'postponed'],
    ['cancel', ['in_progress', 'postponed', 'scheduled'], 'cancelled'],
    ['abandon', ['in_progress', 'postponed', 'scheduled'], 'abandoned'],
    ['reschedule', ['in_progress', 'postponed', 'scheduled'], 'scheduled'],
    ['correct', ['abandoned', 'cancelled', 'final'], 'final'],
    ['correct_to_cancelled', ['abandoned', 'cancelled', 'final'], 'cancelled'],
    ['correct_to_abandoned', ['abandoned', 'cancelled', 'final'], 'abandoned'],
  ] as const)('%s leaves %j for %s', (event, states, target) => {
    expect(gameMachine.from(event).toSorted()).toEqual(states);
    for (const state of states) expect(gameMachine.next(state, event)).toBe(target);
  });

  it('does not let a late feed start or cancel what is final', () => {
    expect(gameMachine.next('final', 'start')).toBeNull();
    expect(gameMachine.next('final', 'cancel')).toBeNull();
    expect(gameMachine.next('final', 'finish')).toBeNull();
    expect(gameMachine.next('final', 'postpone')).toBeNull();
  });
});
