import { describe, expect, it } from '@jest/globals';
import { gameMachine, isOutcomeOf, KEY, MARKET_KINDS, marketMachine, outcomesOf } from './markets.js';

describe('markets', () => {
  it('name their outcomes in the order in which they are shown', () => {
    const outcomes = [
      { key: 'kelce', label: 'Travis Kelce' },
      { key: 'rice', label: 'Rashee Rice' },
    ];
    expect(MARKET_KINDS.map((kind) => [kind, outcomesOf({ kind, outcomes })])).toEqual([
      ['moneyline', ['home', 'away']],
      ['three_way', ['home', 'draw', 'away']],
      ['spread', ['home', 'away']],
      ['total', ['over', 'under']],
      ['prop', ['kelce', 'rice']],
    ]);
  });

  it('know their own outcomes only', () => {
    expect(isOutcomeOf('total', 'over')).toBe(true);
    expect(isOutcomeOf('total', 'home')).toBe(false);
    expect(isOutcomeOf('moneyline', 'draw')).toBe(false);
    expect(isOutcomeOf('three_way', 'draw')).toBe(true);
  });

  it.each([
    ['first_touchdown', true],
    ['a', true],
    ['49ers.d-st', true],
    ['', false],
    ['_kelce', false],
    ['Kelce', false],
    ['a b', false],
    ['a'.repeat(60), true],
    ['a'.repeat(61), false],
  ])('take %j as a key: %s', (key, is) => {
    expect(KEY.test(key)).toBe(is);
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
    ['reinstate', ['cancelled'], 'scheduled'],
    ['award', ['in_progress', 'postponed', 'scheduled'], 'walkover'],
    ['correct', ['abandoned', 'cancelled', 'final', 'walkover'], 'final'],
    ['correct_to_cancelled', ['abandoned', 'cancelled', 'final', 'walkover'], 'cancelled'],
    ['correct_to_abandoned', ['abandoned', 'cancelled', 'final', 'walkover'], 'abandoned'],
    ['correct_to_walkover', ['abandoned', 'cancelled', 'final', 'walkover'], 'walkover'],
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
