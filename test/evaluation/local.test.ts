import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gradeTrial } from '../../src/evaluation/grade-trial.ts';
import { localEvaluator } from '../../src/evaluation/local.ts';
import type { TrialReport } from '../../src/evaluation/run-trial.ts';
import { type Llm, LlmError } from '../../src/llm/llm.ts';
import { evaluatorContract } from '../contracts/evaluator-contract.ts';
import { scriptedLlm } from './scripted-llm.mjs';
import { plainRunner, type TinyWorld, tinyWorld } from './tiny-world.ts';

const scripted = scriptedLlm((message) => new LlmError('unavailable', message));

evaluatorContract('local', (world, parts) =>
  localEvaluator({ ...world, ...parts, model: 'scripted', llm: scripted }),
);

let world: TinyWorld;
beforeEach(async () => {
  world = await tinyWorld();
  process.env.MARKS = world.dir;
});
afterEach(() => world.remove());

describe('what a trial had paid for', () => {
  /** Runs a trial; how often the model was called. */
  async function callsOf(script: string): Promise<number> {
    let calls = 0;
    const llm: Llm = async (request) => {
      calls++;
      return await scripted(request);
    };
    const runner = plainRunner();
    const evaluator = localEvaluator({ ...world, concurrency: 1, runner, model: 'scripted', llm });
    const [outcome] = await evaluator.evaluate([world.spec(script)], () => {});
    expect(outcome).toMatchObject({ kind: 'scored', score: 1 });
    return calls;
  }
  const callsFile = (script: string) => join(world.trialsDir, world.spec(script).id, 'calls.jsonl');

  it('is not paid for twice when it is tried again', async () => {
    // Three turns and a note, and the call that failed.
    expect(await callsOf('flaky')).toBe(5);
  });

  it.each([
    ['after its first reply', 3, (file: string) => truncateSync(file, readFileSync(file).indexOf(10) + 1)],
    ['in the middle of a reply', 1, (file: string) => truncateSync(file, readFileSync(file).length - 10)],
    ['before its outcome was written down', 0, () => {}],
  ])('is not paid for twice when it was cut off %s', async (_, asked, cut) => {
    expect(await callsOf('good')).toBe(4);
    cut(callsFile('good'));
    expect(await callsOf('good')).toBe(asked);
  });
});

it.each(['good', 'idle'])('says which genes were active in a trial (%s)', async (script) => {
  const parts = { concurrency: 1, runner: plainRunner(), model: 'scripted', llm: scripted };
  const [outcome] = await localEvaluator({ ...world, ...parts }).evaluate([world.spec(script)], () => {});
  expect(outcome).toMatchObject(
    script === 'good'
      ? { kind: 'scored', active: ['memory', 'rules.script'] }
      : { kind: 'failed', active: ['rules.script'] },
  );
});

describe('a submission', () => {
  const finished: Extract<TrialReport, { kind: 'finished' }> = {
    kind: 'finished',
    end: 'submitted',
    submission: true,
    turns: 1,
    tokensIn: 0,
    tokensOut: 0,
    usd: 0,
    jobs: [],
    gpuMs: 0,
    active: [],
  };
  const answers = () => join(world.suite.dir, 'tasks/tiny-search/prepared/private/answers.csv');
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
    expect(await grade((path) => writeFileSync(path, readFileSync(answers())))).toMatchObject({
      kind: 'scored',
      score: 1,
    });
  });
});
