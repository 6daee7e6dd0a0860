import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsAny } from '../src/contains-any.ts';

describe('containsAny', () => {
  const letters = (constraints: fc.StringConstraints) =>
    fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'ä', '→'), ...constraints });

  it('finds what a plain search finds', () => {
    const needles = fc.array(letters({ minLength: 2, maxLength: 6 }), { maxLength: 6 });
    fc.assert(
      fc.property(needles, letters({ maxLength: 60 }), (wanted, text) => {
        expect(containsAny(wanted)(text)).toBe(wanted.some((needle) => text.includes(needle)));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([0, 1, 500, 998, 999, 1000])('finds a needle behind %i characters, and at the end', (before) => {
    const needles = ['0123456789', `x${'y'.repeat(400)}z`];
    const contains = containsAny(needles);
    expect(contains(`${'-'.repeat(before)}0123456789`)).toBe(true);
    expect(contains(`${'y'.repeat(before)}${needles[1]}-`)).toBe(true);
    expect(contains(`${'-'.repeat(before)}012345678`)).toBe(false);
  });
});
