import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gradeTrial } from '../../src/evaluation/grade-trial.ts';
import { localEvaluator } from '../../src/evaluation/local.ts';
import type { TrialReport } from '../../src/evaluation/run-trial.ts';
import { type Outcome, scoreOf, type TrialSpec } from '../../src/evaluation/trial.ts';
import { type Llm, LlmError } from '../../src/llm/llm.ts';
import { scriptedLlm } from './scripted-llm.mjs';
import { plainRunner, type TinyWorld, tinyWorld } from './tiny-world.ts';

let world: TinyWorld;
beforeEach(async () => {
  world = await tinyWorld();
  process.env.MARKS = world.dir;
});
afterEach(() => world.remove());

const scripted = scriptedLlm((message) => new LlmError(message));

function evaluator(overrides: {
  llm?: Llm;
  grade?: () => Promise<never>;
  runner?: ReturnType<typeof plainRunner>;
}) {
  const { suite, trialsDir, genomes } = world;
  return localEvaluator({
    concurrency: 4,
    trialsDir,
    suite,
    genomes,
    grader: overrides.grade ? { ...world.grader, grade: overrides.grade } : world.grader,
    runner: overrides.runner ?? plainRunner(),
    model: 'scripted',
    llm: overrides.llm ?? scripted,
  });
}

const evaluate = (specs: TrialSpec[], overrides: Parameters<typeof evaluator>[0] = {}) =>
  evaluator(overrides).evaluate(specs, () => {});

/** A model, and how often it was called. */
function counted(llm: Llm) {
  let calls = 0;
  return {
    calls: () => calls,
    llm: (async (request) => {
      calls++;
      return await llm(request);
    }) satisfies Llm,
  };
}

describe('an outcome', () => {
  it('is scored where the submission is valid', async () => {
    const [good, poor] = await evaluate([world.spec('good'), world.spec('poor')]);
    expect(good).toMatchObject({ kind: 'scored', raw: 0, score: 1, medal: 'gold', aboveMedian: true });
    expect(poor).toMatchObject({ kind: 'scored', raw: 1 });
    expect(scoreOf(poor!)).toBeGreaterThan(0);
    expect(scoreOf(poor!)).toBeLessThan(1);
  });

  it('counts turns, jobs and tokens', async () => {
    const [outcome] = await evaluate([world.spec('good')]);
    expect(outcome).toMatchObject({ usage: { turns: 3, jobs: 1, usd: 0, gpuMs: 0, tokensOut: 40 } });
    expect((outcome as { jobs: string[] }).jobs).toHaveLength(1);
  });

  it('is failed, and counts as 0, where the agent made no submission', async () => {
    const [outcome] = await evaluate([world.spec('idle')]);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'no submission (out-of-turns)' });
    expect(scoreOf(outcome!)).toBe(0);
  });

  it('is lost, and counts as nothing, where the endpoint is down', async () => {
    const [outcome] = await evaluate([world.spec('unreachable')]);
    expect(outcome).toEqual({ kind: 'lost', reason: 'the endpoint is down' });
    expect(scoreOf(outcome!)).toBeNull();
  });

  it('is lost where a job is', async () => {
    const runner = plainRunner();
    runner.run = async () => ({ kind: 'lost', reason: 'no process could be started', log: '', ms: 0 });
    const [outcome] = await evaluate([world.spec('good')], { runner });
    expect(outcome).toMatchObject({ kind: 'lost', reason: expect.stringContaining('no process') });
  });

  it('is lost where the grader does not answer', async () => {
    const grade = () => Promise.reject(new Error('gone'));
    const [outcome] = await evaluate([world.spec('good')], { grade });
    expect(outcome).toEqual({ kind: 'lost', reason: 'the grader did not answer: gone' });
  });

  it('comes after a second try where the first one is lost, without paying twice', async () => {
    const { llm, calls } = counted(scripted);
    const [flaky] = await evaluate([world.spec('flaky')], { llm });
    expect(flaky).toMatchObject({ kind: 'scored', score: 1 });
    // Three turns, a note, and the call that failed.
    expect(calls()).toBe(5);
  });
});

describe('a trial', () => {
  it('leaves its record, and not its scratch', async () => {
    const spec = world.spec('good');
    await evaluate([spec]);
    const folder = join(world.trialsDir, spec.id);
    expect(readdirSync(folder).sort()).toEqual([
      'calls.jsonl',
      'logs',
      'memory.md',
      'submission.csv',
      'trajectory.json',
    ]);
    const trajectory = JSON.parse(readFileSync(join(folder, 'trajectory.json'), 'utf8'));
    expect(trajectory.schema_version).toBe('ATIF-v1.4');
  });

  it.each(['after its first reply', 'in the middle of a reply', 'before its outcome was written down'])(
    'that was cut off %s goes on from there and ends the same',
    async (when) => {
      const spec = world.spec('good');
      const folder = join(world.trialsDir, spec.id);
      const whole = await evaluate([spec]);
      const record = () =>
        ['trajectory.json', 'calls.jsonl', 'submission.csv'].map((name) =>
          readFileSync(join(folder, name), 'utf8'),
        );
      const before = record();

      const calls = join(folder, 'calls.jsonl');
      const size = readFileSync(calls).length;
      const firstLine = readFileSync(calls, 'utf8').indexOf('\n') + 1;
      if (when.includes('first')) truncateSync(calls, firstLine);
      if (when.includes('middle')) truncateSync(calls, size - 10);
      mkdirSync(join(folder, 'work'));
      writeFileSync(join(folder, 'work', 'stray.mjs'), 'left over');
      writeFileSync(join(folder, 'submission.csv'), 'left over');

      const model = counted(scripted);
      expect(await evaluate([spec], { llm: model.llm })).toEqual(whole);
      expect(model.calls()).toBe(when.includes('first') ? 3 : when.includes('middle') ? 1 : 0);
      expect(record()).toEqual(before);
    },
  );
});

describe('the evaluator', () => {
  it('gives outcomes in the order asked, and each as it is known', async () => {
    const specs = ['poor', 'unreachable', 'idle', 'good'].map((script) => world.spec(script));
    const known = new Map<string, Outcome>();
    const outcomes = await evaluator({}).evaluate(specs, (spec, outcome) => known.set(spec.id, outcome));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['scored', 'lost', 'failed', 'scored']);
    expect(specs.map(({ id }) => known.get(id))).toEqual(outcomes);
  });

  it('passes a fault of the program on, with its stack', async () => {
    const running = evaluate([world.spec('buggy'), world.spec('good')]);
    await expect(running).rejects.toMatchObject({
      stack: expect.stringContaining('TypeError: a fault in the program'),
    });
  });

  it('passes on what goes wrong in the listener, after all in flight has ended', async () => {
    const runner = plainRunner();
    const running = evaluator({ runner }).evaluate([world.spec('good'), world.spec('slow')], () => {
      throw new Error('no space for the journal');
    });
    await expect(running).rejects.toThrow('no space for the journal');
    expect(runner.children.size).toBe(0);
  });

  it('drops what is in flight when told to, and reports nothing of it', async () => {
    const runner = plainRunner();
    const abort = new AbortController();
    const known: Outcome[] = [];
    const specs = [0, 1, 2, 3, 4, 5].map((repeat) => world.spec('slow', repeat));
    const running = evaluator({ runner }).evaluate(specs, (_, outcome) => known.push(outcome), abort.signal);
    while (runner.children.size < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    expect(await running).toEqual(specs.map(() => ({ kind: 'lost', reason: 'interrupted' })));
    expect(known).toEqual([]);
    expect(runner.children.size).toBe(0);
    expect(runner.asked).toHaveLength(4);
  });
});

describe('a submission', () => {
  const finished: Extract<TrialReport, { kind: 'finished' }> = {
    kind: 'finished',
    end: 'submitted',
    submission: true,
    turns: 1,
    tokensIn: 0,
    tokensOut: 0,
    jobs: [],
    gpuMs: 0,
  };
  const grade = (prepare: (path: string) => void) => {
    const folder = join(world.dir, 'graded');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    prepare(join(folder, 'submission.csv'));
    return gradeTrial(world.spec('good'), finished, folder, world.grader);
  };

  it.each([
    ['a link to the answers', (path: string) => symlinkSync(answers(), path), 'ELOOP'],
    ['a folder', (path: string) => mkdirSync(path), 'not a plain file'],
    ['gone', () => {}, 'ENOENT'],
    ['too large', (path: string) => writeFileSync(path, 'x'.repeat(5_000_001)), 'larger than'],
    ['not as the task wants it', (path: string) => writeFileSync(path, 'a,b\n1,2\n'), 'invalid submission'],
  ])('that is %s fails the trial', async (_, prepare, reason) => {
    expect(await grade(prepare)).toMatchObject({ kind: 'failed', reason: expect.stringContaining(reason) });
  });

  it('is taken where it is the right answer', async () => {
    expect(existsSync(answers())).toBe(true);
    const outcome = await grade((path) => writeFileSync(path, readFileSync(answers())));
    expect(outcome).toMatchObject({ kind: 'scored', score: 1 });
  });

  const answers = () => join(world.suite.dir, 'tasks/tiny-search/prepared/private/answers.csv');
});
