import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { distribution, sample } from '../../src/offline/sample.ts';

const options = [
  { says: 'a', logit: 2 },
  { says: 'b', logit: 1 },
  { says: 'c', logit: 0 },
];
const nothing = new Map<string, number>();

function close(actual: number[], expected: number[]): void {
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 12);
  });
}

function softmax(logits: number[]): number[] {
  const weights = logits.map(Math.exp);
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

test('temperature divides the logits', () => {
  close(distribution(options, nothing, { temperature: 1 }), softmax([2, 1, 0]));
  close(distribution(options, nothing, { temperature: 0.5 }), softmax([4, 2, 0]));
  close(distribution(options, nothing, { temperature: 2 }), softmax([1, 0.5, 0]));
});

test('temperature 0 takes the likeliest, the first of equals', () => {
  expect(distribution(options, nothing, { temperature: 0 })).toEqual([1, 0, 0]);
  const equal = [{ says: 'x', logit: 1 }, ...options.map((option) => ({ ...option, logit: 1 }))];
  expect(distribution(equal, nothing, { temperature: 0 })).toEqual([1, 0, 0, 0]);
});

test('the penalties subtract by count and once', () => {
  const said = new Map([
    ['a', 3],
    ['b', 1],
  ]);
  close(distribution(options, said, { frequency_penalty: 0.5 }), softmax([2 - 1.5, 1 - 0.5, 0]));
  close(distribution(options, said, { presence_penalty: 0.7 }), softmax([2 - 0.7, 1 - 0.7, 0]));
  close(
    distribution(options, said, { frequency_penalty: -0.2, presence_penalty: 1, temperature: 0.5 }),
    softmax([2 * (2 + 0.6 - 1), 2 * (1 + 0.2 - 1), 0]),
  );
});

test('top_p keeps the smallest set that reaches it, and renormalises', () => {
  const [a, b] = softmax([2, 1, 0]) as [number, number, number];
  close(distribution(options, nothing, { top_p: a }), [1, 0, 0]);
  close(distribution(options, nothing, { top_p: a + 0.01 }), [a / (a + b), b / (a + b), 0]);
  close(distribution(options, nothing, { top_p: 1 }), softmax([2, 1, 0]));
});

test('draws follow the distribution and the seed alone', () => {
  const draw = (seed: number) =>
    sample(options, nothing, { model: 'offline', messages: [], temperature: 1, seed }).says;
  expect(draw(7)).toBe(draw(7));
  const n = 20_000;
  const counts = { a: 0, b: 0, c: 0 } as Record<string, number>;
  for (let seed = 0; seed < n; seed++) counts[draw(seed)]!++;
  softmax([2, 1, 0]).forEach((share, i) => {
    // Five standard errors of a binomial share.
    expect(Math.abs(counts[options[i]!.says]! / n - share)).toBeLessThan(
      5 * Math.sqrt((share * (1 - share)) / n),
    );
  });
});

test('only sample.ts reads the sampling settings, and nothing the model knows names a gene', () => {
  const folder = new URL('../../src/offline/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(5);
  for (const name of files) {
    const code = readFileSync(new URL(name, folder), 'utf8').replace(/^\s*(\*|\/\*|\/\/).*$/gm, '');
    // What comes in over HTTP is checked against the API's bounds, and handed on as it is.
    if (name !== 'sample.ts' && name !== 'chat-request.ts') {
      expect(code, name).not.toMatch(/\btemperature\b|\btop_p\b|frequency_penalty|presence_penalty/);
    }
    expect(code, name).not.toMatch(/['"`](sampling|memory|loop|limits|tools|rules|skills)\.[a-z]/);
    expect(code, name).not.toMatch(/keep_failures|improve_share|check_share/);
  }
});
