import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Evaluator, type Outcome, scoreOf } from '../../src/evaluation/trial.ts';
import type { JobRunner } from '../../src/jobs/job.ts';
import type { Grader } from '../../src/suite/suite.ts';
import { plainRunner, type TinyWorld, tinyWorld } from '../evaluation/tiny-world.ts';

export type MakeEvaluator = (
  world: TinyWorld,
  parts: { runner: JobRunner; grader: Grader; concurrency: number },
) => Evaluator;

/** What holds for every evaluator, wherever its trials run; `make` must give it the scripted model. */
export function evaluatorContract(name: string, make: MakeEvaluator): void {
  let world: TinyWorld;
  let runner: ReturnType<typeof plainRunner>;
  let open: Evaluator[];
  beforeEach(async () => {
    world = await tinyWorld();
    process.env.MARKS = world.dir;
    runner = plainRunner();
    open = [];
  });
  afterEach(async () => {
    await runner.close();
    await Promise.all(open.map((evaluator) => evaluator.close()));
    world.remove();
  });

  const evaluator = (parts: { runner?: JobRunner; grader?: Grader } = {}): Evaluator => {
    const made = make(world, { runner, grader: world.grader, concurrency: 4, ...parts });
    open.push(made);
    return made;
  };
  const evaluate = async (scripts: string[], parts?: Parameters<typeof evaluator>[0]) =>
    await evaluator(parts).evaluate(
      scripts.map((script) => world.spec(script)),
      () => {},
    );
  const kinds = (outcomes: Outcome[]) => outcomes.map(({ kind }) => kind);

  describe(`${name}: an outcome`, () => {
    it('is scored where the submission is valid, with what it cost', async () => {
      const [good, poor] = await evaluate(['good', 'poor']);
      expect(good).toMatchObject({ kind: 'scored', raw: 0, score: 1, medal: 'gold', aboveMedian: true });
      expect(good).toMatchObject({ usage: { turns: 3, jobs: 1, usd: 0, gpuMs: 0, tokensOut: 40 } });
      expect(poor).toMatchObject({ kind: 'scored', raw: 1, jobs: [expect.any(String)] });
      expect(scoreOf(poor!)).toBeGreaterThan(0);
      expect(scoreOf(poor!)).toBeLessThan(1);
    });

    it('is failed, and counts as 0, where the agent made no submission', async () => {
      const [outcome] = await evaluate(['idle']);
      expect(outcome).toMatchObject({ kind: 'failed', reason: 'no submission (out-of-turns)' });
      expect(scoreOf(outcome!)).toBe(0);
    });

    it('is lost, and counts as nothing, where the endpoint is down', async () => {
      const [outcome] = await evaluate(['unreachable']);
      expect(outcome).toEqual({ kind: 'lost', reason: 'the endpoint is down' });
      expect(scoreOf(outcome!)).toBeNull();
    });

    it('is lost where a job is', async () => {
      const lost = { kind: 'lost', reason: 'no process', log: '', ms: 0 } as const;
      const outcomes = await evaluate(['good'], { runner: { ...runner, run: async () => lost } });
      expect(outcomes).toEqual([{ kind: 'lost', reason: expect.stringContaining('no process') }]);
    });

    it('is lost where the grader does not answer', async () => {
      const grader = { ...world.grader, grade: () => Promise.reject(new Error('gone')) };
      const outcomes = await evaluate(['good'], { grader });
      expect(outcomes).toEqual([{ kind: 'lost', reason: 'the grader did not answer: gone' }]);
    });

    it('comes of a second try where the first one is lost', async () => {
      expect(await evaluate(['flaky'])).toMatchObject([{ kind: 'scored', score: 1 }]);
    });
  });

  describe(`${name}: a trial`, () => {
    it('leaves its record, and not its scratch', async () => {
      await evaluate(['good']);
      const folder = join(world.trialsDir, world.spec('good').id);
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

    it('that was cut off goes on from the replies that are kept, and ends the same', async () => {
      const folder = join(world.trialsDir, world.spec('good').id);
      const record = () =>
        ['trajectory.json', 'calls.jsonl', 'submission.csv'].map((file) =>
          readFileSync(join(folder, file), 'utf8'),
        );
      const whole = await evaluate(['good']);
      const before = record();
      truncateSync(join(folder, 'calls.jsonl'), readFileSync(join(folder, 'calls.jsonl')).length - 10);
      mkdirSync(join(folder, 'work'));
      writeFileSync(join(folder, 'work', 'stray.mjs'), 'left over');
      writeFileSync(join(folder, 'submission.csv'), 'left over');
      expect(await evaluate(['good'])).toEqual(whole);
      expect(record()).toEqual(before);
    });
  });

  describe(`${name}: an evaluation`, () => {
    it('gives outcomes in the order asked, and each as it is known', async () => {
      const specs = ['poor', 'unreachable', 'idle', 'good'].map((script) => world.spec(script));
      const known = new Map<string, Outcome>();
      const outcomes = await evaluator().evaluate(specs, (spec, outcome) => known.set(spec.id, outcome));
      expect(kinds(outcomes)).toEqual(['scored', 'lost', 'failed', 'scored']);
      expect(specs.map(({ id }) => known.get(id))).toEqual(outcomes);
    });

    it('passes a fault of the program on, with its stack, and leaves no job behind', async () => {
      const running = expect(evaluate(['slow', 'buggy'])).rejects.toMatchObject({
        stack: expect.stringContaining('TypeError: a fault in the program'),
      });
      while (runner.children.size < 1) await new Promise((resolve) => setTimeout(resolve, 5));
      writeFileSync(join(process.env.MARKS!, 'may-fault'), '');
      await running;
      expect(runner.children.size).toBe(0);
    });

    it('passes on what goes wrong in the listener, after all in flight has ended', async () => {
      const specs = ['good', 'slow'].map((script) => world.spec(script));
      const running = evaluator().evaluate(specs, () => {
        throw new Error('no space for the journal');
      });
      await expect(running).rejects.toThrow('no space for the journal');
      expect(runner.children.size).toBe(0);
    });

    it('drops what is in flight when interrupted, with its jobs, and reports nothing of it', async () => {
      const abort = new AbortController();
      const known: Outcome[] = [];
      const specs = [0, 1, 2, 3, 4, 5].map((repeat) => world.spec('slow', repeat));
      const running = evaluator().evaluate(specs, (_, outcome) => known.push(outcome), abort.signal);
      while (runner.children.size < 4) await new Promise((resolve) => setTimeout(resolve, 5));
      abort.abort();
      expect(await running).toEqual(specs.map(() => ({ kind: 'lost', reason: 'interrupted' })));
      expect(known).toEqual([]);
      expect(runner.children.size).toBe(0);
      expect(runner.asked).toHaveLength(4);
    });

    it('can follow one that was interrupted', async () => {
      const abort = new AbortController();
      abort.abort();
      const again = evaluator();
      expect(kinds(await again.evaluate([world.spec('good')], () => {}, abort.signal))).toEqual(['lost']);
      expect(runner.asked).toEqual([]);
      expect(kinds(await again.evaluate([world.spec('good')], () => {}))).toEqual(['scored']);
    });

    it('is waited for by close, and refused after it', async () => {
      const closing = evaluator();
      const running = closing.evaluate([world.spec('good'), world.spec('poor')], () => {});
      await closing.close();
      expect(kinds(await running)).toEqual(['scored', 'scored']);
      await expect(closing.evaluate([], () => {})).rejects.toThrow('closed');
    });
  });
}
