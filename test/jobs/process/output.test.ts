import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { followOutput } from '../../../src/jobs/process/follow.ts';
import { LineReader } from '../../../src/jobs/process/line-reader.ts';
import { collectMetrics } from '../../../src/jobs/process/metrics.ts';
import { job, runner, until } from '../fixture.ts';

afterEach(() => void vi.useRealTimers());

const metric = (step: number, value: number, name = 'loss') =>
  `metric ${JSON.stringify({ name, step, value })}`;

describe('lines of output', () => {
  const read = (chunks: Buffer[], longest?: number) => {
    const lines: string[] = [];
    const reader = new LineReader((line) => lines.push(line) > 0, longest);
    for (const chunk of chunks) reader.push(chunk);
    reader.end();
    return lines;
  };

  test('are whole, wherever the chunks are cut', () => {
    const bytes = Buffer.from('ein\n\n€uro\nrest');
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      expect(read(chunks)).toEqual(['ein', '', '€uro', 'rest']);
    }
  });

  test('end with a carriage return, too, and with both at once', () => {
    const bytes = Buffer.from('10%\r20%\rdone\r\nrest\r');
    for (let size = 1; size <= bytes.length; size++) {
      const lines: [string, boolean][] = [];
      const reader = new LineReader((...line) => lines.push(line) > 0);
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
      reader.end();
      expect(lines).toEqual([
        ['10%', true],
        ['20%', true],
        ['done', false],
        ['rest', true],
      ]);
    }
  });

  test('one that never ends is left out, and costs no memory', () => {
    const piece = Buffer.alloc(65_536, 'x');
    const endless = Array.from({ length: 4000 }, () => piece);
    const before = process.memoryUsage().arrayBuffers;
    expect(read([Buffer.from('a\n'), ...endless, Buffer.from('\nb\n')])).toEqual(['a', 'b']);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
  });

  test('after the last that is wanted none is taken', () => {
    const reader = new LineReader((line) => line !== 'stop');
    expect(reader.push(Buffer.from('go\nst'))).toBe(5);
    expect(reader.push(Buffer.from('op\nmore\n'))).toBe(3);
  });
});

describe('metrics', () => {
  test('are those of stdout, whatever stands unfinished in stderr or before a carriage return', async () => {
    const main = `import { writeSync } from 'node:fs';
      for (let step = 1; step <= 50; step++) {
        writeSync(2, 'step ' + step + ' ');
        writeSync(1, '\\rmetric {"name":"loss",');
        writeSync(2, 'metric {"name":"loss","step":' + (step + 1000) + ',"value":1}\\n ... ');
        writeSync(1, '"step":' + step + ',"value":1}\\n');
      }`;
    const { metrics } = await runner().run(job(main));
    expect(metrics?.map(({ step }) => step)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  test('what is no metric is no harm', () => {
    const metrics = collectMetrics();
    for (const line of [
      'metric {"name":"loss","step":1,"value":NaN}',
      'metric {"name":"loss","step":1,"value":1e999}',
      'metric {"name":"loss","step":-1,"value":1}',
      'metric {"name":7,"step":1,"value":1}',
      'metric {"name":"loss"',
      'metric {}',
      'metric null',
      `metric {"name":"${'x'.repeat(100)}","step":1,"value":1}`,
      metric(3, 0.5),
    ])
      metrics.line(line);
    expect(metrics.kept()).toEqual([{ name: 'loss', step: 3, value: 0.5 }]);
  });

  test('many are thinned evenly, each name for itself, and the last of each stays', () => {
    const metrics = collectMetrics();
    for (let step = 0; step <= 50_000; step++) {
      metrics.line(metric(step, step));
      if (step % 1000 === 1) metrics.line(metric(step, step, 'rare'));
    }
    const kept = metrics.kept();
    expect(kept.length).toBeLessThanOrEqual(1002);
    expect(kept.map(({ step }) => step)).toEqual(kept.map(({ step }) => step).sort((a, b) => a - b));
    expect(kept.filter(({ name }) => name === 'rare')).toHaveLength(50);
    const steps = kept.filter(({ name }) => name === 'loss').map(({ step }) => step);
    const gaps = new Set(steps.slice(1, -1).map((step, i) => step - (steps[i] as number)));
    expect([...gaps]).toEqual([64]);
    expect(steps.at(-1)).toBe(50_000);
  });

  test('names without end are bounded', () => {
    const metrics = collectMetrics();
    for (let i = 0; i < 5000; i++) metrics.line(metric(i, 1, `n${i}`));
    expect(metrics.kept().length).toBeLessThan(1000);
  });
});

describe('output while it runs', () => {
  const follow = () => {
    vi.useFakeTimers();
    const told: string[] = [];
    return { told, follower: followOutput([['/run/1/work', '/work']], (text) => told.push(text)) };
  };

  test('of a short job nothing is told', () => {
    const { told, follower } = follow();
    follower.line('hello');
    vi.advanceTimersByTime(1900);
    follower.end();
    vi.advanceTimersByTime(5000);
    expect(told).toEqual([]);
  });

  test('of a long one all is told, and shows no path of this machine', () => {
    const { told, follower } = follow();
    follower.line('early');
    vi.advanceTimersByTime(2000);
    follower.line('at /run/1/work/main.mjs');
    follower.line('more');
    vi.advanceTimersByTime(500);
    follower.line('late');
    follower.end();
    expect(told).toEqual(['early\n', 'at /work/main.mjs\nmore\n', 'late\n']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('after 1 MB it says that there is no more', () => {
    const { told, follower } = follow();
    for (let i = 0; i < 3000; i++) follower.line('x'.repeat(999));
    vi.advanceTimersByTime(2000);
    for (let i = 0; i < 3000; i++) follower.line('y'.repeat(999));
    follower.end();
    const all = told.join('');
    expect(all.length).toBeLessThan(2 ** 20 + 100);
    expect(all.endsWith('x\n[no more than 1 MB of the output is shown while it runs]\n')).toBe(true);
  });
});

test('a long job is heard while it runs, by whole lines', async () => {
  const heard: string[] = [];
  const { run } = runner({ onLive: (news) => heard.push(news.kind === 'output' ? news.text : news.kind) });
  const spec = job(`import { existsSync } from 'node:fs';
    console.log('first', process.cwd()); process.stdout.write('se');
    while (!existsSync('data/heard')) await new Promise((done) => setTimeout(done, 20));
    console.log('cond'); console.log('third');`);
  const running = run(spec);
  await until(() => heard.includes('first /work\n'), 'the first line, and no part of the second');
  writeFileSync(join((spec.data as { dir: string }).dir, 'heard'), '');
  const out = await running;
  expect(heard.slice(0, 3)).toEqual(['waiting', 'started', 'first /work\n']);
  expect(heard.slice(3, -1).join('')).toBe('second\nthird\n');
  expect(out.log).toBe('first /work\nsecond\nthird\n');
});

describe('a job that prints metrics', () => {
  const main = `for (let step = 1; step <= 6; step++)
    console.log('metric ' + JSON.stringify({ name: 'loss', step, value: 10 - step }));
    console.log('metric {"name":"loss","step":7,"value":NaN}');
    process.stdout.write('metric {"name":"last","step":7,"value":1}');`;

  test('gives them with its outcome', async () => {
    const { run } = runner();
    const { metrics } = await run(job(main));
    expect(metrics?.map(({ value }) => value)).toEqual([9, 8, 7, 6, 5, 4, 1]);
    expect((await run(job("console.log('metric NaN')"))).metrics).toBeUndefined();
  });

  test('is stopped where its rule says so; log and metrics end there', async () => {
    const { run } = runner();
    const limits = [{ step: 2, value: 6.5 }];
    const prune = { metric: 'loss', direction: 'min' as const, limits, hash: 'h' };
    const endless = `${main} console.log(); setInterval(() => console.log('on and on'), 1);`;
    for (const code of [main, endless]) {
      const out = await run(job(code, { prune }));
      expect(out).toMatchObject({ kind: 'pruned', step: 3 });
      expect(out.metrics?.map(({ step }) => step)).toEqual([1, 2, 3]);
      expect(out.log.split('\n')).toHaveLength(4);
    }
    const generous = { ...prune, limits: [{ step: 3, value: 9 }] };
    expect((await run(job(main, { prune: generous }))).kind).toBe('done');
  });
});
