import { expect, test } from 'vitest';
import { cleanLog, judge, lastBytes, type Terms } from '../../../src/jobs/process/log.ts';
import type { Ended } from '../../../src/jobs/process/process.ts';

const ended = (change: Partial<Ended>): Ended => ({
  cause: 'exit',
  code: 0,
  signal: null,
  output: '',
  error: '',
  ms: 1,
  ...change,
});

const node: Terms = { command: 'node', wall: false, diskMb: 64, prunedAt: null, overran: false };

test('real paths are replaced, the longer first, as addresses too', () => {
  const aliases = [
    ['/run/my work', '/work'],
    ['/run/my work/data', '/work/data'],
    ['/suite/public', '/work/data'],
  ] as const;
  const log =
    'at file:///run/my%20work/main.mjs:3\nopen /run/my work/data/x.csv\n/suite/public/train.csv (node:4711) W';
  expect(cleanLog(log, aliases)).toBe(
    'at file:///work/main.mjs:3\nopen /work/data/x.csv\n/work/data/train.csv (node) W',
  );
});

test('what is killed after it was seen to have overrun its CPU time has taken too long; else somebody else did it', () => {
  const outcome = { kind: 'timeout', log: 'x\n[stopped: too much CPU time]\n' };
  const bare = ended({ code: -1, signal: 'SIGKILL', output: 'x' });
  const contained = ended({ code: 137, output: 'x' });
  for (const end of [bare, contained]) expect(judge(end, { ...node, overran: true })).toEqual(outcome);
  expect(judge(bare, node).kind).toBe('lost');
  expect(judge(contained, node)).toMatchObject({ kind: 'failed', exitCode: 137 });
  expect(judge(ended({}), { ...node, overran: true }).kind).toBe('done');
});

test('how a process ended decides what its outcome is', () => {
  const dump =
    'hi\n\n<--- Last few GCs --->\n[8:0x1] 55 ms: Mark-Compact\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0xb78';
  expect(judge(ended({ code: 134, output: dump }), node)).toEqual({
    kind: 'out-of-memory',
    log: 'hi\nFATAL ERROR: out of memory\n',
  });
  expect(judge(ended({ code: -1, signal: 'SIGABRT', output: dump }), node).kind).toBe('out-of-memory');
  expect(
    judge(ended({ code: -1, signal: 'SIGSEGV', output: 'x' }), { ...node, command: 'python3' }),
  ).toMatchObject({
    kind: 'failed',
    exitCode: 139,
  });
  expect(judge(ended({ code: 1, output: 'FATAL ERROR: my own words, out of memory' }), node)).toMatchObject({
    kind: 'failed',
    exitCode: 1,
  });
  expect(judge(ended({ code: 139 }), node).kind).toBe('out-of-memory');
  expect(judge(ended({ code: -1, signal: 'SIGKILL' }), node).kind).toBe('lost');
  expect(judge(ended({ code: 137 }), node).kind).toBe('failed');
  expect(judge(ended({ cause: 'waiting', output: 'hi' }), node)).toEqual({
    kind: 'timeout',
    log: 'hi\n[stopped: out of time]\n',
  });
  expect(judge(ended({ cause: 'deadline' }), node)).toMatchObject({ kind: 'lost', hopeless: true });
  expect(judge(ended({ cause: 'not-started', error: 'EAGAIN' }), node)).toMatchObject({
    kind: 'lost',
    reason: /EAGAIN/,
  });
});

test('who was stopped is told why, in the last line', () => {
  const stopped = (cause: Ended['cause'], change: Partial<Terms> = {}) =>
    judge(ended({ cause, code: -1, signal: 'SIGKILL', output: 'hi' }), { ...node, ...change });
  expect(stopped('deadline')).toMatchObject({ kind: 'lost' });
  expect(stopped('deadline', { wall: true })).toEqual({
    kind: 'timeout',
    log: 'hi\n[stopped: out of time]\n',
  });
  expect(stopped('memory')).toEqual({ kind: 'out-of-memory', log: 'hi\n[stopped: out of memory]\n' });
  expect(stopped('disk').log).toBe('hi\n[stopped: more than 64 MB on the disk]\n');
  expect(stopped('processes').log).toBe('hi\n[stopped: too many processes]\n');
  expect(stopped('pruned', { prunedAt: 7 })).toEqual({ kind: 'pruned', step: 7, log: 'hi' });
});

test('the end of a text is cut at a character', () => {
  expect(lastBytes('a€€', 4)).toBe('€');
  expect(lastBytes('abc', 3)).toBe('abc');
});
