import { describe, expect, it } from '@jest/globals';
import { openAnswer, sealAnswer } from './sealed-answer.js';

describe('a sealed answer', () => {
  const sealed = sealAnswer('the old token', 'session', '{"a":"ä"}');

  it('is opened by the token that it was sealed under, to the byte', () => {
    expect(openAnswer('the old token', 'session', sealed)).toBe('{"a":"ä"}');
  });

  it('is another each time, and does not show what is in it', () => {
    expect(sealAnswer('the old token', 'session', '{"a":"ä"}').equals(sealed)).toBe(false);
    expect(sealed.toString('latin1')).not.toContain('"a"');
  });

  it.each([
    ['another token', () => openAnswer('another token', 'session', sealed)],
    ['another session', () => openAnswer('the old token', 'other', sealed)],
    ['bytes that were changed', () => openAnswer('the old token', 'session', flip(sealed, -1))],
    ['a tag that was changed', () => openAnswer('the old token', 'session', flip(sealed, 12))],
    ['a part of it', () => openAnswer('the old token', 'session', sealed.subarray(0, 20))],
  ])('is not opened by %s', (_, open) => {
    expect(open).toThrow();
  });

  function flip(bytes: Buffer, index: number): Buffer {
    const changed = Buffer.from(bytes);
    const at = index < 0 ? changed.length + index : index;
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  }
});
