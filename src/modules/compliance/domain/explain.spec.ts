import { describe, expect, it } from '@jest/globals';
import { type Bars, explain } from './explain.js';

const at = (text: string) => new Date(text);
const NOW = at('2024-05-01T00:00:00Z');
const FREE: Bars = { refusal: null, ofAgeAt: null, restrictions: [], pendingReturn: null };
const since = at('2023-10-01T00:00:00Z');
const excluded = (endsAt: Date | null, startsAt = since): Bars['restrictions'][number] => ({
  kind: 'self_exclusion',
  startsAt,
  endsAt,
});
const [past, future] = [at('2024-04-02T00:00:00Z'), at('2024-06-01T00:00:00Z')];
const asked = (askedAt: Date) => ({ askedAt, effectiveAt: at('2024-05-01T12:00:00Z') });
const because = (refusal: string, more: Partial<Bars>): Bars => ({ ...FREE, refusal, ...more });

describe('what bars somebody is explained', () => {
  it.each([
    ['nothing', FREE, [null, null, null, null], /may take part/],
    [
      'a term that runs',
      because('SELF_EXCLUDED', { restrictions: [excluded(future)] }),
      [since, future, future, null],
      /cannot be ended before/,
    ],
    [
      'an exclusion for ever, whatever else was declared',
      because('SELF_EXCLUDED', { restrictions: [excluded(null, past), excluded(future)] }),
      [since, null, null, null],
      /for ever/,
    ],
    [
      'a term that is over',
      because('SELF_EXCLUDED', { restrictions: [excluded(past)] }),
      [since, past, past, null],
      /until you ask/,
    ],
    [
      'a return that was asked for',
      because('SELF_EXCLUDED', { restrictions: [excluded(past)], pendingReturn: asked(past) }),
      [since, past, past, at('2024-05-01T12:00:00Z')],
      /exclude yourself again/,
    ],
    [
      'an exclusion that came after the asking',
      because('SELF_EXCLUDED', {
        restrictions: [excluded(future), excluded(past)],
        pendingReturn: asked(past),
      }),
      [since, future, future, null],
      /cannot be ended before/,
    ],
    [
      'an asking from before the term was over',
      because('SELF_EXCLUDED', { restrictions: [excluded(past)], pendingReturn: asked(since) }),
      [since, past, past, null],
      /until you ask/,
    ],
    [
      'two time-outs',
      because('TIMED_OUT', {
        restrictions: [
          { kind: 'time_out', startsAt: past, endsAt: future },
          { kind: 'time_out', startsAt: since, endsAt: at('2024-05-02T00:00:00Z') },
        ],
      }),
      [since, future, null, null],
      /ends by itself/,
    ],
    ['age', because('UNDER_AGE', { ofAgeAt: future }), [null, future, null, null], /old enough/],
    ['a ban', because('ACCOUNT_BANNED', {}), [null, null, null, null], /operator/],
  ] as const)('%s', (_, bars, times, advice) => {
    const told = explain(bars, NOW);
    expect([told.since, told.until, told.returnFrom, told.returnsAt]).toEqual(times);
    expect(told.advice).toMatch(advice);
  });
});
