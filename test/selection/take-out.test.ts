import { describe, expect, test } from 'vitest';
import { backOff, type Step, takeOut } from '../../src/selection/take-out.ts';

/** A world in which losses are known: each gene's own, and one of `either` is enough. */
const world =
  (own: Record<string, number>, either: string[] = [], worth = 0) =>
  async (out: string[]) =>
    out.reduce((sum, path) => sum + (own[path] ?? 0), 0) +
    (either.length > 0 && either.every((path) => out.includes(path)) ? worth : 0);

const outOf = (steps: Step[] | null) => steps!.filter((step) => step.out).map(({ paths }) => paths.join());

describe('taking genes out', () => {
  test('leaves those out that cost nothing, and lets small losses not add up', async () => {
    const steps = await takeOut([['a'], ['b'], ['c'], ['d']], 0.01, world({ b: 0.006, c: 0.006, d: 0.2 }));
    expect(outOf(steps)).toEqual(['a', 'b']);
    expect(steps!.map(({ loss }) => Number(loss!.toFixed(9)))).toEqual([0, 0.006, 0.012, 0.206]);
  });

  test('of two genes that do the same, one stays, although neither shows an effect alone', async () => {
    const steps = await takeOut([['a'], ['b'], ['c']], 0.01, world({}, ['a', 'b'], 0.2));
    expect(outOf(steps)).toEqual(['a', 'c']);
  });

  test('keeps what cannot be taken out or was not measured', async () => {
    const steps = await takeOut([['a'], ['b']], 0.01, async (out) => (out.includes('a') ? Infinity : 0));
    expect(steps).toEqual([
      { paths: ['a'], loss: null, out: false },
      { paths: ['b'], loss: 0, out: true },
    ]);
  });

  test('stops when it is told to', async () => {
    expect(await takeOut([['a'], ['b']], 0.01, async () => null)).toBeNull();
    const step: Step = { paths: ['a'], loss: 0, out: true };
    expect(await backOff([step], 0.01, async () => null)).toBeNull();
  });
});

describe('the check at the end', () => {
  const steps: Step[] = ['a', 'b', 'c', 'd'].map((path) => ({ paths: [path], loss: 0, out: path !== 'b' }));

  test('puts back what was taken out last, until it is not worse', async () => {
    const asked: string[] = [];
    const left = await backOff(steps, 0.01, async (out) => {
      asked.push(out.join());
      return out.includes('c') ? 0.05 : 0.01;
    });
    expect(asked).toEqual(['a,c,d', 'a,c', 'a']);
    expect(outOf(left)).toEqual(['a']);
  });

  test('may end with nothing taken out', async () => {
    expect(await backOff(steps, 0.01, async () => 0.5)).toEqual([]);
  });
});
