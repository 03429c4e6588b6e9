import { describe, expect, it } from '@jest/globals';
import { validate, version } from 'uuid';
import { newId } from '../../../../platform/database/ids.js';
import { referenceIdOf } from './reference-id.js';

describe('the reference of an id', () => {
  it('is a UUID of version 4, and another for every id', () => {
    const references = Array.from({ length: 1000 }, () => referenceIdOf(newId()));
    expect(references.every((each) => validate(each) && version(each) === 4)).toBe(true);
    expect(new Set(references).size).toBe(1000);
  });

  // Payments that are under way have it at MTN: it may never change.
  it('stays what it is', () => {
    expect(referenceIdOf('019aa5b4-0000-7000-8000-000000000001')).toBe(
      '7c7f36a9-06f3-483d-95ed-cfad584b6aed',
    );
  });
});
