import { describe, expect, it } from '@jest/globals';
import { defineMachine } from './state-machine.js';

type DoorState = 'closed' | 'ajar' | 'removed';
type DoorEvent = 'push' | 'shut' | 'unhinge';

const door = defineMachine<DoorState, DoorEvent>('door', {
  initial: 'closed',
  transitions: {
    closed: { push: 'ajar', unhinge: 'removed' },
    ajar: { shut: 'closed', unhinge: 'removed' },
    removed: {},
  },
});

describe('a state machine', () => {
  it('leads where its table says, and nowhere else', () => {
    expect(door.next('closed', 'push')).toBe('ajar');
    expect(door.next('closed', 'shut')).toBeNull();
    expect(door.next('removed', 'push')).toBeNull();
  });

  it('names the states that an event may leave', () => {
    expect(door.from('unhinge')).toEqual(['closed', 'ajar']);
    expect(door.from('shut')).toEqual(['ajar']);
  });

  it('knows its states, its first and its last', () => {
    expect(door.states).toEqual(['closed', 'ajar', 'removed']);
    expect(door.initial).toBe('closed');
    expect(door.terminal).toEqual(['removed']);
  });

  it('finds nothing under the names that every object has', () => {
    expect(door.next('closed', 'toString' as DoorEvent)).toBeNull();
    expect(door.next('constructor' as DoorState, 'push')).toBeNull();
    expect(door.from('hasOwnProperty' as DoorEvent)).toEqual([]);
  });

  it('refuses a definition with the list of all that is wrong', () => {
    const define = () =>
      defineMachine<string, string>('broken', {
        initial: 'a',
        transitions: { a: { go: 'b', fly: 'nowhere' }, b: { back: 'gone' }, island: { stay: 'island' } },
      });
    expect(define).toThrow(
      'state machine "broken": "a" on "fly" leads to the unknown state "nowhere"; ' +
        '"b" on "back" leads to the unknown state "gone"; "island" cannot be reached from "a"',
    );
  });

  it('refuses an unknown initial state', () => {
    const define = () => defineMachine<string, string>('lost', { initial: 'x', transitions: { a: {} } });
    expect(define).toThrow('the initial state "x" is unknown; "a" cannot be reached from "x"');
  });
});
