import { expect, test } from 'vitest';
import { openBars } from '../src/bars.ts';

test('a note above the bars is shown whole on a narrow terminal, and the bars come back below it', () => {
  const written: string[] = [];
  const stream = { isTTY: true, columns: 60, write: (text: string) => written.push(text) };
  const bars = openBars(stream as unknown as NodeJS.WriteStream);
  const show = bars.add('trials', 20, 0);
  show(20, 5, 'as before');
  bars.note('short');
  const before = written.length;
  bars.note(`evolve: ${'so '.repeat(30)}it is; \`evolve resume ${'runs/'.repeat(15)}x\` goes on`);
  bars.close();
  const [above = '', below = ''] = written.slice(before).join('').split('goes on');
  // The terminal clears what stands below, and breaks the command that is longer than a line instead of cutting it.
  expect(above).toContain('\u001b[J\u001b[?7hevolve: so');
  for (const line of above.split('\n').slice(0, 2)) expect(line.length).toBeLessThan(80);
  expect(below.startsWith('\u001b[?7l\n')).toBe(true);
  expect(below).toContain('5/20  as before');
});
