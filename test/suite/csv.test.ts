import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCsv, parseCsv } from '../../src/suite/csv.ts';

describe('parseCsv', () => {
  it('reads quotes, both line ends, empty cells and a missing last line end', () => {
    expect(parseCsv('id,text\r\n1,"a, ""b""\nc"\n2,\n\n3,x')).toEqual({
      header: ['id', 'text'],
      rows: [
        ['1', 'a, "b"\nc'],
        ['2', ''],
        ['3', 'x'],
      ],
    });
  });

  it('keeps an empty cell behind a comma at the very end', () => {
    expect(parseCsv('a,b\n1,').rows).toEqual([['1', '']]);
  });

  it('drops a byte order mark', () => {
    expect(parseCsv('\uFEFFid,y\n1,2\n').header).toEqual(['id', 'y']);
  });

  it.each([
    ['', 'line 1: no header'],
    ['\n1,2\n', 'line 1: no header'],
    ['a,b\n1\n', 'line 2: 1 cells where the header has 2'],
    ['a,b\n"x\ny",1\n1,2,3\n', 'line 4: 3 cells where the header has 2'],
    ['a,b\n1,"2\n', 'line 2: a quote is opened and never closed'],
    ['a,b\n1,"2"3\n', 'line 2: text behind a closing quote'],
  ])('refuses %j', (text, message) => {
    expect(() => parseCsv(text)).toThrow(message);
  });

  it('reads back what formatCsv writes', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é', '\uFEFF') });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell)), (rows) => {
        expect(parseCsv(formatCsv(['x', 'y', 'z'], rows)).rows).toEqual(rows);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
