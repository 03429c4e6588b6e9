import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvRecord } from './csv.js';

describe('a record of CSV', () => {
  it.each([
    [['a', 'b'], 'a,b\r\n'],
    [['', ''], ',\r\n'],
    [['a,b', 'say "so"', 'two\r\nlines'], '"a,b","say ""so""","two\r\nlines"\r\n'],
    [['-10.50', '-1', '10.50'], '-10.50,-1,10.50\r\n'],
    [['=1+1', '+1', '@SUM(A1)', '-1+1', '-'], "'=1+1,'+1,'@SUM(A1),'-1+1,'-\r\n"],
    [['\t=1', '\r=1', '\n=1'], '\'\t=1,"\'\r=1","\'\n=1"\r\n'],
    [['=HYPERLINK("http://x","y")'], '"\'=HYPERLINK(""http://x"",""y"")"\r\n'],
  ])('of %j is %j', (cells, text) => {
    expect(csvRecord(cells)).toBe(text);
  });

  it('is read again as what was written, and no cell as a formula', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '"', ',', '1', 'A') }),
    );
    fc.assert(
      fc.property(fc.array(cell, { minLength: 2, maxLength: 6 }), (cells) => {
        const [read] = parse(csvRecord(cells), { record_delimiter: '\r\n' });
        expect(read?.map((text, i) => (text === cells[i] ? text : text.replace(/^'/, '')))).toEqual(cells);
        for (const text of read ?? []) expect(text).not.toMatch(/^[=+@\t\r\n]|^-(?!\d+(\.\d+)?$)/);
      }),
    );
  });
});
