import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { readCsvRecords, type CsvRecord } from './csv-records.js';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

async function read(bytes: Buffer | string, chunkSize?: number): Promise<CsvRecord[]> {
  const whole = Buffer.from(bytes);
  const size = chunkSize ?? whole.length;
  const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
    whole.subarray(index * size, (index + 1) * size),
  );
  return collect(readCsvRecords(Readable.from(chunks)));
}

describe('readCsvRecords', () => {
  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])(
    'numbers physical lines that end in %s, with empty lines and empty records passed over',
    async (_, end) => {
      const text = ['a,b', '1,2', '', ',', ' , ', '3', '"4",5,6', ''].join(end);
      expect(await read(text)).toEqual([
        { line: 1, cells: ['a', 'b'] },
        { line: 2, cells: ['1', '2'] },
        { line: 6, cells: ['3'] },
        { line: 7, cells: ['4', '5', '6'] },
      ]);
    },
  );

  it('numbers a record with a quoted line break by the line it ends on', async () => {
    expect(await read('a,b\n"x\ny",1\nz,2\n')).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 3, cells: ['x\ny', '1'] },
      { line: 4, cells: ['z', '2'] },
    ]);
  });

  it('reads UTF-8 and Latin-1 alike, wherever the chunks are cut', async () => {
    const bytes = Buffer.concat([
      Buffer.from('\uFEFF"home",away\nBeşiktaş,Málaga\n', 'utf8'),
      Buffer.from('Alav\u00e9s,\u00a0Cádiz', 'latin1'),
    ]);
    const expected = [
      { line: 1, cells: ['home', 'away'] },
      { line: 2, cells: ['Beşiktaş', 'Málaga'] },
      { line: 3, cells: ['Alavés', 'Cádiz'] },
    ];
    for (const chunkSize of [1, 2, 3, 5, 7, 64]) expect(await read(bytes, chunkSize)).toEqual(expected);
  });

  it.each([
    ['', []],
    ['\n\n', []],
    ['a', [{ line: 1, cells: ['a'] }]],
  ])('reads the very short file %j', async (text, expected) => {
    expect(await read(text)).toEqual(expected);
  });

  it('takes a quote inside a bare cell as it stands', async () => {
    expect(await read('a 6" line,b\n')).toEqual([{ line: 1, cells: ['a 6" line', 'b'] }]);
  });

  it('refuses a quote that is never closed, at the end of the file and long before it', async () => {
    const broken = { name: 'SeasonFileError', code: 'SEASON_FILE_BROKEN' };
    await expect(read('a\n"b')).rejects.toMatchObject(broken);
    await expect(read(`a\n"${'b\n'.repeat(50_000)}`)).rejects.toMatchObject(broken);
  });

  it('tells the bytes read, and hands on a failure of whoever is told', async () => {
    const told: number[] = [];
    const source = () => Readable.from([Buffer.from('a\n'), Buffer.from('é\n')]);
    await collect(readCsvRecords(source(), (bytes) => told.push(bytes)));
    expect(told).toEqual([2, 5]);
    const failing = readCsvRecords(source(), () => {
      throw new Error('no bar to draw on');
    });
    await expect(collect(failing)).rejects.toThrow('no bar to draw on');
  });

  it('hands on a failure of the source', async () => {
    const source = new Readable({ read: () => undefined });
    const records = collect(readCsvRecords(source));
    source.destroy(new Error('the disk is gone'));
    await expect(records).rejects.toThrow('the disk is gone');
  });

  it('lets go of the source when the reader leaves early', async () => {
    let produced = 0;
    const source = Readable.from(
      (function* () {
        for (;;) yield Buffer.from(`${(produced += 1)},${'x'.repeat(8_192)}\n`);
      })(),
    );
    for await (const { line } of readCsvRecords(source)) if (line === 3) break;
    expect(source.destroyed).toBe(true);
    expect(produced).toBeLessThan(100);
  });
});
