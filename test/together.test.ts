import { expect, test } from 'vitest';
import { together } from '../src/together.ts';

const later = (ms: number, value: string) => new Promise<string>((done) => setTimeout(() => done(value), ms));

test('results stand in the order of the work', async () => {
  expect(await together([later(20, 'slow'), later(1, 'fast')])).toEqual(['slow', 'fast']);
});

test('a fault is thrown when all have ended: what others bring meanwhile is kept', async () => {
  const kept: string[] = [];
  const work = [
    Promise.reject(new Error('first')),
    later(20, 'paid').then((value) => kept.push(value)),
    Promise.reject(new Error('second')),
  ];
  await expect(together(work)).rejects.toThrow('first');
  expect(kept).toEqual(['paid']);
});
