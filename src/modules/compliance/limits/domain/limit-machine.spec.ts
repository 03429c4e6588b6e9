import { describe, expect, it } from '@jest/globals';
import { bookingMachine } from './booking-machine.js';
import {
  applyTo,
  confirmable,
  eventOf,
  type Limit,
  type LimitEvent,
  limitMachine,
  type LimitRequest,
  type LimitState,
  NO_LIMIT,
  stageOf,
} from './limit-machine.js';

const at = (text: string) => new Date(text);
const ASKED = at('2023-10-03T12:00:00Z');
const request = (amount: bigint | null, waitHours = 24): LimitRequest => ({
  amount,
  askedAt: ASKED,
  waitHours,
});
const active: Limit = { state: 'active', amount: 100n, request: null };
const raising: Limit = { state: 'raising', amount: 100n, request: request(500n) };
const removing: Limit = { state: 'removing', amount: 100n, request: request(null) };

describe('a limit', () => {
  const X = null;
  it.each<[LimitState, Record<LimitEvent, LimitState | null>]>([
    ['unset', { set: 'active', ask_more: X, ask_none: X, take_back: X, confirm: X, lapse: X }],
    [
      'active',
      { set: 'active', ask_more: 'raising', ask_none: 'removing', take_back: X, confirm: X, lapse: X },
    ],
    [
      'raising',
      {
        set: 'active',
        ask_more: 'raising',
        ask_none: 'removing',
        take_back: 'active',
        confirm: 'active',
        lapse: 'active',
      },
    ],
    [
      'removing',
      {
        set: 'active',
        ask_more: 'raising',
        ask_none: 'removing',
        take_back: 'active',
        confirm: 'unset',
        lapse: 'active',
      },
    ],
  ])('that is %s', (state, table) => {
    for (const [event, next] of Object.entries(table))
      expect([event, limitMachine.next(state, event as LimitEvent)]).toEqual([event, next]);
  });

  it.each<[string, Limit, bigint | null, LimitEvent | null]>([
    ['the first one', NO_LIMIT, 100n, 'set'],
    ['none where there is none', NO_LIMIT, null, null],
    ['nothing at all', active, 0n, 'set'],
    ['less', active, 99n, 'set'],
    ['the same', active, 100n, null],
    ['more', active, 101n, 'ask_more'],
    ['none', active, null, 'ask_none'],
    ['what is asked for', raising, 500n, null],
    ['less than what is asked for, and more than there is', raising, 300n, 'ask_more'],
    ['even more', raising, 900n, 'ask_more'],
    ['what there is, after all', raising, 100n, 'set'],
    ['less while more is asked for', raising, 50n, 'set'],
    ['none while more is asked for', raising, null, 'ask_none'],
    ['none again', removing, null, null],
    ['more while none is asked for', removing, 500n, 'ask_more'],
    ['what there is, while none is asked for', removing, 100n, 'set'],
  ])('of which somebody wants %s', (_, limit, wanted, event) => {
    expect(eventOf(limit, wanted)).toBe(event);
  });

  it.each<[string, Limit, LimitEvent, bigint | null, Limit]>([
    ['set', NO_LIMIT, 'set', 100n, active],
    ['lowered', active, 'set', 50n, { ...active, amount: 50n }],
    ['lowered while it waits: what was asked for is undone', raising, 'set', 50n, { ...active, amount: 50n }],
    ['to be raised: it stays as it is', active, 'ask_more', 500n, raising],
    ['to be removed: it stays as it is', active, 'ask_none', null, removing],
    ['raised', raising, 'confirm', null, { ...active, amount: 500n }],
    ['removed', removing, 'confirm', null, NO_LIMIT],
    ['kept', raising, 'take_back', null, active],
    ['forgotten', removing, 'lapse', null, active],
  ])('that is %s', (_, limit, event, wanted, becomes) => {
    expect(applyTo(limit, event, { wanted, now: ASKED, waitHours: 24 })).toEqual(becomes);
  });

  it('cannot be confirmed where nothing waits', () => {
    for (const limit of [NO_LIMIT, active])
      expect(applyTo(limit, 'confirm', { wanted: null, now: ASKED, waitHours: 24 })).toBeNull();
  });
});

describe('a request', () => {
  it.each([
    // It was asked where, and is confirmed where, so many hours are waited.
    [24, 24, '2023-10-04T11:59:59.999Z', 'waiting'],
    [24, 24, '2023-10-04T12:00:00.000Z', 'confirmable'],
    [24, 24, '2023-10-11T11:59:59.999Z', 'confirmable'],
    [24, 24, '2023-10-11T12:00:00.000Z', 'lapsed'],
    [24, 168, '2023-10-04T12:00:00.000Z', 'waiting'],
    [24, 168, '2023-10-10T12:00:00.000Z', 'confirmable'],
    [168, 24, '2023-10-10T11:59:59.999Z', 'waiting'],
    [168, 24, '2023-10-10T12:00:00.000Z', 'confirmable'],
    [168, 24, '2023-10-17T12:00:00.000Z', 'lapsed'],
  ])('with %d hours then and %d now is at %s %s', (then, now, when, stage) => {
    expect(stageOf(request(500n, then), { waitHours: now, confirmHours: 168 }, at(when))).toBe(stage);
  });

  it('tells from when on, and until when', () => {
    expect(confirmable(request(null), { waitHours: 24, confirmHours: 168 })).toEqual({
      from: at('2023-10-04T12:00:00Z'),
      until: at('2023-10-11T12:00:00Z'),
    });
  });
});

it('counts money that comes although it was given up, and once', () => {
  expect(bookingMachine.next('released', 'count')).toBe('counted');
  expect(bookingMachine.next('counted', 'count')).toBeNull();
  expect(bookingMachine.next('counted', 'release')).toBeNull();
});
