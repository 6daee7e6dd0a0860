import { expect, test } from 'vitest';
import { remembering } from '../../src/offline/remembering.ts';

test('what was asked for of late is not made again, and no more than twice as many are kept', () => {
  let made = 0;
  const double = remembering(3, (text: string) => {
    made++;
    return `${text}${text}`;
  });
  expect(['a', 'b', 'a', 'c', 'b'].map((text) => double(text))).toEqual(['aa', 'bb', 'aa', 'cc', 'bb']);
  expect(made).toBe(3);
  for (let i = 0; i < 100; i++) double(`${i}`);
  made = 0;
  for (const last of ['99', '98', '97']) double(last);
  expect(made).toBe(0);
  double('a');
  expect(made).toBe(1);
});

test('several arguments are told apart', () => {
  const joined = remembering(10, (a: string, b: string) => `${a}+${b}`);
  expect([joined('a', 'bc'), joined('ab', 'c'), joined('a', 'bc')]).toEqual(['a+bc', 'ab+c', 'a+bc']);
});

test('of memories within memories each has its own', () => {
  const nested = remembering(2, (a: string) => remembering(2, (b: string) => a + b));
  expect([nested('a')('x'), nested('b')('x'), nested('a')('y'), nested('a')('x')]).toEqual([
    'ax',
    'bx',
    'ay',
    'ax',
  ]);
});
