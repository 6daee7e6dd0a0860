import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PoolOptions, poolEvaluator } from '../../src/evaluation/pool.ts';
import type { Evaluator, Outcome, TrialSpec } from '../../src/evaluation/trial.ts';
import { plainRunner, type TinyWorld, tinyWorld } from './tiny-world.ts';

const llmModule = pathToFileURL(join(import.meta.dirname, 'scripted-llm.mjs')).href;

let world: TinyWorld;
let open: Evaluator[];
beforeEach(async () => {
  if (!existsSync(join(import.meta.dirname, '../../dist/evaluation/worker.js'))) {
    throw new Error('worker threads load built files: run "npm run build" first');
  }
  world = await tinyWorld();
  open = [];
  process.env.MARKS = world.dir;
});
afterEach(async () => {
  await Promise.all(open.map((evaluator) => evaluator.close()));
  world.remove();
});

function pool(options: Partial<PoolOptions> = {}): Evaluator {
  const { suite, trialsDir, genomes, grader } = world;
  const runner = plainRunner();
  const evaluator = poolEvaluator({
    workers: 2,
    concurrency: 4,
    trialsDir,
    suite,
    genomes,
    grader,
    runner,
    model: 'scripted',
    llmModule,
    ...options,
  });
  open.push(evaluator);
  return evaluator;
}

const evaluate = (specs: TrialSpec[], options?: Partial<PoolOptions>) =>
  pool(options).evaluate(specs, () => {});
const kinds = (outcomes: Outcome[]) => outcomes.map(({ kind }) => kind);
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('trials in worker threads', () => {
  it('give outcomes in the order asked, and each as it is known', async () => {
    const specs = ['poor', 'unreachable', 'idle', 'good'].map((script) => world.spec(script));
    const known = new Map<string, Outcome>();
    const outcomes = await pool().evaluate(specs, (spec, outcome) => known.set(spec.id, outcome));
    expect(kinds(outcomes)).toEqual(['scored', 'lost', 'failed', 'scored']);
    expect(outcomes[1]).toEqual({ kind: 'lost', reason: 'the endpoint is down' });
    expect(specs.map(({ id }) => known.get(id))).toEqual(outcomes);
  });

  it('give the same outcomes and trajectories for 1 and for 4 threads', async () => {
    const scripts = ['good', 'poor', 'idle'];
    const specs = scripts.flatMap((script) => [0, 1, 2].map((repeat) => world.spec(script, repeat)));
    const run = async (workers: number) => {
      const trialsDir = join(world.dir, `trials-${workers}`);
      const outcomes = await evaluate(specs, { workers, concurrency: 4 * workers, trialsDir });
      return specs.map((spec, i) => [
        outcomes[i],
        readFileSync(join(trialsDir, spec.id, 'trajectory.json'), 'utf8'),
      ]);
    };
    expect(await run(4)).toEqual(await run(1));
  });

  it('go on from the replies that are kept', async () => {
    const spec = world.spec('good');
    const whole = await evaluate([spec]);
    const calls = join(world.trialsDir, spec.id, 'calls.jsonl');
    const kept = readFileSync(calls, 'utf8');
    truncateSync(calls, kept.length - 10);
    expect(await evaluate([spec])).toEqual(whole);
    expect(readFileSync(calls, 'utf8')).toBe(kept);
  });

  it('pass a fault of the program on, with its stack, and leave no job behind', async () => {
    const runner = plainRunner();
    const running = evaluate([world.spec('slow'), world.spec('buggy')], { runner });
    await expect(running).rejects.toMatchObject({
      stack: expect.stringContaining('TypeError: a fault in the program'),
    });
    expect(runner.children.size).toBe(0);
  });
});

describe('a thread that dies', () => {
  it('takes no trial along: those on it are run again', async () => {
    const specs = ['good', 'exits', 'poor', 'idle'].map((script) => world.spec(script));
    const outcomes = await evaluate(specs, { workers: 1, concurrency: 4 });
    expect(kinds(outcomes)).toEqual(['scored', 'scored', 'scored', 'failed']);
    expect(existsSync(join(world.dir, 'exited'))).toBe(true);
  });

  it('again and again costs only the trial that kills it', async () => {
    const specs = ['good', 'dies', 'poor', 'idle'].map((script) => world.spec(script));
    const outcomes = await evaluate(specs, { workers: 1, concurrency: 4 });
    expect(kinds(outcomes)).toEqual(['scored', 'lost', 'scored', 'failed']);
    expect(outcomes[1]).toMatchObject({ reason: expect.stringContaining('the worker thread died') });
  });

  it('takes the jobs of its trials along', async () => {
    const runner = plainRunner();
    const abort = new AbortController();
    const specs = [world.spec('slow'), world.spec('exitslater')];
    const evaluator = pool({ runner, workers: 1, concurrency: 2 });
    const running = evaluator.evaluate(specs, () => {}, abort.signal);
    // Three jobs: that of each, and that of the slow one again, after its first was killed with the thread.
    await until(() => runner.asked.length === 3);
    expect(existsSync(join(world.dir, 'exited'))).toBe(true);
    expect(new Set(runner.asked).size).toBe(2);
    expect(runner.children.size).toBe(1);
    abort.abort();
    await running;
    expect(runner.children.size).toBe(0);
  });
});

describe('a thread that does not answer', () => {
  it('is ended, and its trials are run again', async () => {
    const specs = ['good', 'spins', 'poor'].map((script) => world.spec(script));
    const options = { workers: 1, concurrency: 3, heartbeatMs: 50, silentBeats: 10 };
    expect(kinds(await evaluate(specs, options))).toEqual(['scored', 'scored', 'scored']);
    expect(existsSync(join(world.dir, 'spun'))).toBe(true);
  });
});

describe('a trial that hangs', () => {
  it('is given up as lost, and nobody else is', async () => {
    const specs = ['hangs', 'good'].map((script) => world.spec(script));
    const outcomes = await evaluate(specs, { workers: 1, heartbeatMs: 20, silentBeats: 1e9, idleBeats: 5 });
    expect(outcomes[0]).toEqual({ kind: 'lost', reason: 'the trial made no progress for too long' });
    expect(kinds(outcomes)).toEqual(['lost', 'scored']);
  });
});

describe('an interruption', () => {
  it('drops what is in flight, with its jobs, and reports nothing of it', async () => {
    const runner = plainRunner();
    const abort = new AbortController();
    const known: Outcome[] = [];
    const specs = [0, 1, 2, 3, 4, 5].map((repeat) => world.spec('slow', repeat));
    const running = pool({ runner }).evaluate(specs, (_, outcome) => known.push(outcome), abort.signal);
    await until(() => runner.children.size === 4);
    abort.abort();
    expect(await running).toEqual(specs.map(() => ({ kind: 'lost', reason: 'interrupted' })));
    expect(known).toEqual([]);
    expect(runner.children.size).toBe(0);
    expect(runner.asked).toHaveLength(4);
  });

  it('drops a trial that waits for its model', async () => {
    const abort = new AbortController();
    const running = pool().evaluate([world.spec('hangs')], () => {}, abort.signal);
    await until(() => existsSync(join(world.trialsDir, world.spec('hangs').id, 'calls.jsonl')));
    abort.abort();
    expect(kinds(await running)).toEqual(['lost']);
  });

  it('leaves the pool fit for more', async () => {
    const abort = new AbortController();
    const evaluator = pool({ workers: 1 });
    abort.abort();
    expect(kinds(await evaluator.evaluate([world.spec('good')], () => {}, abort.signal))).toEqual(['lost']);
    expect(kinds(await evaluator.evaluate([world.spec('good')], () => {}))).toEqual(['scored']);
  });
});

describe('closing', () => {
  it('waits for what is in flight', async () => {
    const evaluator = pool();
    const running = evaluator.evaluate([world.spec('good'), world.spec('poor')], () => {});
    await evaluator.close();
    expect(kinds(await running)).toEqual(['scored', 'scored']);
    await expect(evaluator.evaluate([], () => {})).rejects.toThrow('closed');
  });
});
