import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { documentName, missingParts, type Part } from './document-parts.js';
import { typeOfFile } from './file-type.js';
import { passesThreshold } from './thresholds.js';

describe('the type of a file', () => {
  it.each<[string, Buffer, string | null]>([
    ['a JPEG', Buffer.from('ffd8ffe000104a46', 'hex'), 'image/jpeg'],
    ['a PNG', Buffer.from('89504e470d0a1a0a0000', 'hex'), 'image/png'],
    ['a PDF', Buffer.from('%PDF-1.7\n'), 'application/pdf'],
    ['nothing', Buffer.alloc(0), null],
    ['half a PNG', Buffer.from('89504e47', 'hex'), null],
    ['a GIF', Buffer.from('GIF89a'), null],
    ['a page', Buffer.from('<html>%PDF-1.7'), null],
    ['a picture in SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg">'), null],
    ['a zip', Buffer.from('504b0304', 'hex'), null],
    ['a PDF after a line', Buffer.from('\n%PDF-1.7'), null],
  ])('of %s', (_, bytes, type) => {
    expect(typeOfFile(bytes)).toBe(type);
  });

  it('is told by its beginning, whatever follows', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (rest) => {
        expect(typeOfFile(Buffer.concat([Buffer.from('%PDF-'), rest]))).toBe('application/pdf');
      }),
    );
  });
});

describe('the parts of a document', () => {
  it.each<[Part[], Part[], Part[]]>([
    [['front'], [], ['front']],
    [['front', 'back', 'selfie'], ['back'], ['front', 'selfie']],
    [['front', 'back'], ['back', 'front'], []],
    [['front'], ['front', 'selfie'], []],
  ])('asked for %j and sent %j, %j are missing', (asked, sent, missing) => {
    expect(missingParts(asked, sent)).toEqual(missing);
  });
});

describe('the number of a document', () => {
  it.each([
    ['ab 12-34/5', 'passport:FR:AB12345'],
    ['AB12345', 'passport:FR:AB12345'],
    ['ＡＢ１２３４５', 'passport:FR:AB12345'], // as some keyboards write it
    [' -/. ', null],
  ])('written %j is %s', (number, name) => {
    expect(documentName('passport', 'FR', number)).toBe(name);
  });
});

describe('the threshold above which somebody has to be known', () => {
  it.each<[number | undefined, bigint, bigint, boolean]>([
    [2000, 0n, 2000n, false],
    [2000, 0n, 2001n, true],
    [2000, 1999n, 1n, false],
    [2000, 2000n, 1n, true],
    [0, 0n, 1n, true],
    [undefined, 0n, 1n, true], // a currency that nobody has thought of
    [2000, 10n ** 18n, 1n, true],
  ])('of %s, after %i, by %i is passed: %s', (threshold, before, amount, passed) => {
    expect(passesThreshold(threshold, before, amount)).toBe(passed);
  });
});
