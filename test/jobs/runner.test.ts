import { expect, onTestFinished, test } from 'vitest';
import { type Asked, type Backend, notRun, type Ran } from '../../src/jobs/backend.ts';
import { cancelled, lost, type Result } from '../../src/jobs/result.ts';
import { type JobRecord, jobRunner } from '../../src/jobs/runner.ts';
import { folder, job, until } from './fixture.ts';

const done: Result = { outcome: { kind: 'done', log: 'well\n', ms: 1, outputs: [] }, files: [] };
const on = (result: Result, change: Partial<Ran> = {}): Ran => {
  return { result, dir: null, waitMs: 0, slot: 'cpu-0', ...change };
};

/** A promise, and what settles it. */
function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A runner over a backend that gives these, one a run, and the last for ever. */
function given(answers: ((asked: Asked) => Ran | Promise<Ran>)[], cacheDir: string | null = null) {
  const halted = new AbortController();
  const records: JobRecord[] = [];
  let runs = 0;
  const backend: Backend = {
    run: async (asked) => (answers[Math.min(runs++, answers.length - 1)] as (typeof answers)[0])(asked),
    usage: () => ({ busy: 0, slots: 1 }),
    halted: halted.signal,
    close: async () => {},
  };
  const jobs = jobRunner(backend, { cacheDir, onJob: (record) => records.push(record) });
  onTestFinished(() => jobs.close());
  return { jobs, halted, records, runs: () => runs };
}

test('what was lost is run again, and what it then gives counts once', async () => {
  const { jobs, runs, records } = given([
    () => on(lost('the node has failed')),
    () => Promise.reject(new Error('away')),
    () => on(done),
  ]);
  expect(await jobs.run(job(''), 'aa')).toMatchObject({ kind: 'done', log: 'well\n' });
  expect(runs()).toBe(3);
  expect(records).toMatchObject([{ kind: 'done', hit: false, slot: 'cpu-0' }]);
});

test('it is not tried without end, and never kept', async () => {
  const { jobs, runs } = given([() => on(lost('the node has failed'))], folder());
  expect(await jobs.run(job('', { retries: 1 }), 'aa')).toMatchObject({
    kind: 'lost',
    reason: 'the node has failed',
  });
  expect(runs()).toBe(2);
  await jobs.run(job('', { retries: 0 }), 'aa');
  expect(runs()).toBe(3);
});

test('what can never be met, was the job’s own doing, or is not wanted any more, is not tried again', async () => {
  const hopeless = given([() => on(lost('asks for 4 GPUs, 2 here'), { slot: '', hopeless: true })]);
  expect(await hopeless.jobs.run(job(''), 'aa')).toMatchObject({ kind: 'lost' });
  const timeout: Result = { outcome: { kind: 'timeout', log: '', ms: 1 }, files: [] };
  const slow = given([() => on(timeout)]);
  expect(await slow.jobs.run(job(''), 'aa')).toMatchObject({ kind: 'timeout' });
  expect([hopeless.runs(), slow.runs()]).toEqual([1, 1]);
});

test('a runner that is halted, or closed, tries no more', async () => {
  const { jobs, halted, runs } = given([() => on(lost('refused'))]);
  halted.abort();
  expect(await jobs.run(job(''), 'aa')).toMatchObject({ kind: 'lost' });
  expect(runs()).toBe(1);

  const other = given([
    () => on(lost('the node has failed')),
    ({ signal }) => notRun(signal.aborted ? cancelled() : lost('it was asked for once more')),
  ]);
  const running = other.jobs.run(job(''), 'aa');
  await until(() => other.runs() === 1, 'the first run');
  await other.jobs.close();
  expect(await running).toMatchObject({ kind: 'cancelled' });
});

test('an equal job that is asked for while the first is being called off waits until nothing is left of that', async () => {
  let atOnce = 0;
  const calledOff = deferred();
  const over = deferred();
  const { jobs, runs, records } = given([
    async ({ signal }) => {
      atOnce++;
      signal.addEventListener('abort', calledOff.resolve);
      await over.promise;
      atOnce--;
      return notRun(cancelled());
    },
    async () => {
      expect(atOnce).toBe(0);
      return on(done);
    },
  ]);
  const control = new AbortController();
  const first = jobs.run(job(''), 'aa', control.signal);
  await until(() => runs() === 1, 'the first run');
  control.abort();
  await calledOff.promise;
  const second = jobs.run(job(''), 'aa');
  const third = jobs.run(job(''), 'aa');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(runs()).toBe(1);
  over.resolve();
  expect(await first).toMatchObject({ kind: 'cancelled' });
  expect([await second, await third]).toMatchObject([{ kind: 'done' }, { kind: 'done' }]);
  expect(runs()).toBe(2);
  expect(records.filter(({ hit }) => hit)).toHaveLength(1);
});

test('what the first asker had in a folder that went with it, is taken from another one', async () => {
  const folders: string[] = [];
  const gone = deferred();
  const { jobs, runs } = given([
    async ({ spec }) => {
      folders.push(spec.folder);
      await gone.promise;
      return on(lost('ENOENT'), { slot: '' });
    },
    ({ spec }) => {
      folders.push(spec.folder);
      return on(done);
    },
  ]);
  const [a, b] = [job('', { retries: 0 }), job('', { retries: 0 })];
  const control = new AbortController();
  const first = jobs.run(a, 'aa', control.signal);
  const second = jobs.run(b, 'aa');
  await until(() => runs() === 1, 'the first run');
  control.abort();
  expect(await first).toMatchObject({ kind: 'cancelled' });
  gone.resolve();
  expect(await second).toMatchObject({ kind: 'done' });
  expect(folders).toEqual([a.folder, b.folder]);
});

test('what was lost on the way counts among what a job took', async () => {
  const took = (result: Result, ms: number) => ({ ...result, outcome: { ...result.outcome, ms } });
  const { jobs, records } = given([
    () => on(took(lost('the node has failed'), 4000), { slot: 'cpu-1', waitMs: 10 }),
    () => on(took(done, 500), { waitMs: 20 }),
  ]);
  await jobs.run(job('', { gpus: 1 }), 'aa');
  expect(records).toMatchObject([{ runMs: 4500, waitMs: 30, slot: 'cpu-0', gpus: 1, cpus: 0 }]);
});
