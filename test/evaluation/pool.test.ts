import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type PoolOptions, poolEvaluator } from '../../src/evaluation/pool.ts';
import type { Evaluator, Outcome, TrialSpec } from '../../src/evaluation/trial.ts';
import type { JobRunner } from '../../src/jobs/job.ts';
import { type Llm, LlmError } from '../../src/llm/llm.ts';
import { evaluatorContract } from '../contracts/evaluator-contract.ts';
import { scriptedLlm } from './scripted-llm.mjs';
import { plainRunner, type TinyWorld, tinyWorld } from './tiny-world.ts';

const llmModule = pathToFileURL(join(import.meta.dirname, 'scripted-llm.mjs')).href;

evaluatorContract('pool', (world, parts) =>
  poolEvaluator({ ...world, ...parts, workers: 2, model: 'scripted', llm: { module: llmModule } }),
);

const onTheMainThread = scriptedLlm((message) => new LlmError('unavailable', message));

evaluatorContract('pool, with the model on the main thread', (world, parts) =>
  poolEvaluator({ ...world, ...parts, workers: 2, model: 'scripted', llm: onTheMainThread }),
);

let world: TinyWorld;
let open: Pick<Evaluator, 'close'>[];
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
    llm: { module: llmModule },
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
});

describe('a thread', () => {
  // With Piscina, which tries `require` first, that is how it comes to have its own program.
  it('loads ES modules in no way in which its end could be that of the process', async () => {
    await expect(evaluate([world.spec('requires')])).rejects.toMatchObject({
      stack: expect.stringMatching(/ERR_REQUIRE_ESM|require\(\) of ES Module/),
    });
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
    const askers: (string | undefined)[] = [];
    const heard: JobRunner = {
      ...runner,
      run(spec, identity, signal, asker) {
        askers.push(asker?.trial);
        return runner.run(spec, identity, signal);
      },
    };
    const abort = new AbortController();
    open.push({ close: async () => abort.abort() });
    const [slow, exits] = [world.spec('slow'), world.spec('exitslater')];
    const evaluator = pool({ runner: heard, workers: 1, concurrency: 2 });
    const running = evaluator.evaluate([slow, exits], () => {}, abort.signal);
    // The job of each has begun, and the short one has ended.
    await until(() => askers.length === 2 && runner.children.size === 1);
    const [job] = runner.children;
    writeFileSync(join(world.dir, 'may-exit'), '');
    await until(() => !runner.children.has(job!));
    expect(job!.signalCode).toBe('SIGKILL');
    // And the slow trial, run again, has one again.
    await until(() => askers.filter((trial) => trial === slow.id).length === 2);
    expect(runner.children.size).toBe(1);
    abort.abort();
    await running;
    expect(runner.children.size).toBe(0);
  });
});

describe('a thread that does not answer', () => {
  it('is ended, and its trials are run again', async () => {
    const specs = ['good', 'spins', 'poor'].map((script) => world.spec(script));
    const options = { workers: 1, concurrency: 3, heartbeatMs: 50, silentBeats: 40 };
    expect(kinds(await evaluate(specs, options))).toEqual(['scored', 'scored', 'scored']);
    expect(existsSync(join(world.dir, 'spun'))).toBe(true);
  });
});

describe('a trial that hangs', () => {
  it('is given up as lost, and nobody else is', async () => {
    const specs = ['hangs', 'good'].map((script) => world.spec(script));
    const outcomes = await evaluate(specs, { workers: 1, heartbeatMs: 20, silentBeats: 1e9, idleBeats: 50 });
    expect(outcomes[0]).toEqual({ kind: 'lost', reason: 'the trial made no progress for too long' });
    expect(kinds(outcomes)).toEqual(['lost', 'scored']);
  });
});

describe('an interruption', () => {
  it('drops a trial that waits for its model', async () => {
    const abort = new AbortController();
    const running = pool().evaluate([world.spec('hangs')], () => {}, abort.signal);
    await until(() => existsSync(join(world.trialsDir, world.spec('hangs').id, 'calls.jsonl')));
    abort.abort();
    expect(kinds(await running)).toEqual(['lost']);
  });
});

describe('a model that the main thread asks', () => {
  it('is waited for by all trials at once, and none of them is given up for idling', async () => {
    // The heart beats when the test says so.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    let asked = 0;
    let gather = () => {};
    /** Never, where fewer than all can ask at once. */
    const gathered = new Promise<void>((resolve) => {
      gather = resolve;
    });
    let goOn = () => {};
    const answered = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let givenUp = 0;
    const llm: Llm = async (request, signal) => {
      if (request.messages.length <= 2 && ++asked === 40) gather();
      await answered;
      if (signal?.aborted) givenUp++;
      return await onTheMainThread(request);
    };
    const beats = { heartbeatMs: 50, silentBeats: 1e9, idleBeats: 60 };
    const evaluator = pool({ llm, concurrency: 40, ...beats });
    const specs = Array.from({ length: 40 }, (_, repeat) => world.spec('good', repeat));
    const running = evaluator.evaluate(specs, () => {});
    await gathered;
    // Their answers take longer than an idle trial may.
    vi.advanceTimersByTime(2 * beats.idleBeats * beats.heartbeatMs);
    goOn();
    expect(kinds(await running)).toEqual(specs.map(() => 'scored'));
    expect(givenUp).toBe(0);
  });

  it('hears that a trial was cancelled, and what it still says is kept and not asked for again', async () => {
    const stop = new AbortController();
    let calls = 0;
    const llm: Llm = async (request, signal) => {
      // The second call ends after the trial was cancelled, as a call within its grace does.
      if (++calls === 2) {
        stop.abort();
        expect(signal?.aborted).toBe(true);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return await onTheMainThread(request);
    };
    const [cut] = await pool({ llm }).evaluate([world.spec('good')], () => {}, stop.signal);
    expect(cut).toEqual({ kind: 'lost', reason: 'interrupted' });
    const [outcome] = await pool({ llm }).evaluate([world.spec('good')], () => {});
    expect(outcome).toMatchObject({ kind: 'scored', score: 1 });
    // Three turns and a note, each asked once.
    expect(calls).toBe(4);
  });

  it('that has no room for a first prompt is no doing of the agent', async () => {
    const full: Llm = async () => {
      throw new LlmError('too-long', 'the prompt is too long');
    };
    const [outcome] = await pool({ llm: full }).evaluate([world.spec('good')], () => {});
    expect(outcome).toEqual({ kind: 'lost', reason: 'the prompt is too long' });
  });

  it('whose replies the disk does not take is a full disk, and no fault of the program', async () => {
    const full: Llm = async () => {
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    };
    const asked = pool({ llm: full }).evaluate([world.spec('good')], () => {});
    await expect(asked).rejects.toMatchObject({ name: 'UserError', exitCode: 4 });
  });

  it('that has no room for more ends the trial, and what was submitted counts', async () => {
    const full: Llm = async (request) => {
      if (request.messages.length > 4) throw new LlmError('too-long', 'the prompt is too long');
      return await onTheMainThread(request);
    };
    const outcomes = await pool({ llm: full }).evaluate([world.spec('idle'), world.spec('good')], () => {});
    expect(outcomes[0]).toMatchObject({ kind: 'failed', reason: 'no submission (out-of-context)' });
    expect(outcomes[1]).toMatchObject({ kind: 'scored' });
  });
});
