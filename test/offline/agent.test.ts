import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runAgent } from '../../src/agent/run-agent.ts';
import type { Trajectory } from '../../src/agent/trajectory.ts';
import { TrialLost } from '../../src/agent/trial-lost.ts';
import type { Genome } from '../../src/genome/genome.ts';
import type { JobOutcome, JobSpec } from '../../src/jobs/job.ts';
import { offlineLlm } from '../../src/offline/offline-llm.ts';
import type { Task } from '../../src/suite/suite.ts';
import { plainGenome } from '../fixtures/genomes.ts';
import { taskIn } from './conversations.ts';

/** The agent with the offline model, on a task whose jobs are played by the test. */

let dir: string;
let task: Task;
let trials = 0;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-agent-'));
  const publicDir = join(dir, 'public');
  mkdirSync(publicDir);
  writeFileSync(join(publicDir, 'train.csv'), 'id,x,price\n1,2,3\n2,3,4\n');
  writeFileSync(join(publicDir, 'test.csv'), 'id,x\n3,4\n');
  writeFileSync(join(publicDir, 'sample_submission.csv'), 'id,price\n3,0\n');
  task = taskIn(publicDir);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Plays the agent; `job` answers the n-th training. Temperature 0 unless the genome says otherwise. */
async function play(parts: Partial<Genome>, job: (n: number, spec: JobSpec) => Partial<JobOutcome>) {
  const folder = join(dir, `trial-${trials++}`);
  const scratch = join(dir, `scratch-${trials}`);
  mkdirSync(folder);
  mkdirSync(scratch);
  const sampling = { ...plainGenome().sampling, temperature: 0 };
  let n = 0;
  const transcript = await runAgent(plainGenome({ sampling, rules: {}, ...parts }), task, {
    llm: offlineLlm(),
    model: 'offline',
    seed: 3,
    folder,
    scratch,
    job: async (spec) => {
      n++;
      const outcome = { log: '', ms: 1, ...job(n, spec) } as JobOutcome;
      if (outcome.kind === 'done') writeFileSync(join(spec.folder, 'submission.csv'), 'id,price\n3,5\n');
      return { identity: `job-${n}`, outcome };
    },
  });
  return { ...transcript, said: saidBy(transcript.trajectory) };
}

function saidBy(trajectory: Trajectory): string[] {
  return trajectory.steps.filter((step) => step.source === 'agent').map((step) => step.message);
}

/** A crash as Node shows it, at a line that the test puts into the file. */
const crash = (spec: JobSpec, file: string): Partial<JobOutcome> => {
  const path = join(spec.folder, file);
  const right = 'values.reduce((a, b) => a + b, 0) / values.length';
  writeFileSync(path, readFileSync(path, 'utf8').replace(right, 'Math.mean(values)'));
  return {
    kind: 'failed',
    exitCode: 1,
    log: `file:///work/${file}:4\nconst mean = (values) => Math.mean(values);\n                              ^\n\nTypeError: Math.mean is not a function\n    at mean (file:///work/${file}:4:31)\n`,
  };
};
const score = (value: number): Partial<JobOutcome> => ({ kind: 'done', log: `validation rmse: ${value}\n` });

test('it writes a program of five files, trains, and has a submission', async () => {
  const { said, submission, jobs } = await play({}, () => score(1));
  const written = said
    .filter((text) => text.startsWith('Write the next file'))
    .map((text) => /\((\S+):/.exec(text)?.[1]);
  expect(written.slice(0, 5)).toEqual(['read.mjs', 'features.mjs', 'target.mjs', 'model.mjs', 'main.mjs']);
  expect(submission).toBe(true);
  expect(jobs.length).toBeGreaterThan(0);
});

test('after a fix it looks at the other files only when it is told to', async () => {
  const job = (n: number, spec: JobSpec) => (n === 1 ? crash(spec, 'features.mjs') : score(1));
  const after = (said: string[]) => said[said.findIndex((text) => text.startsWith('Fix the line')) + 1];
  const alone = await play({}, job);
  expect(after(alone.said)).toMatch(/^Train/);
  const text = 'After a fix, look for the same bug in the other files and fix it there too.';
  const told = await play({ rules: { any: { when: 'after-fix', text } } }, job);
  expect(after(told.said)).toMatch(/^Look for the same bug/);
  const edited = told.trajectory.steps
    .find((step) => step.message.startsWith('Look for the same bug'))
    ?.tool_calls?.map((call) => call.arguments.path);
  expect(new Set(edited)).toEqual(new Set(['read.mjs', 'target.mjs', 'model.mjs', 'main.mjs']));
});

test('the same words move it whatever the rule is called, and other words do not', async () => {
  const job = (n: number, spec: JobSpec) => (n === 1 ? crash(spec, 'model.mjs') : score(1));
  const count = async (text: string) => {
    const { said } = await play({ rules: { r: { when: 'after-fix', text } } }, job);
    return said.filter((line) => line.startsWith('Look for the same bug')).length;
  };
  expect(await count('Once mended: is the same bug in other files? Look for it there and fix it too.')).toBe(
    1,
  );
  expect(await count('Enjoy the moment.')).toBe(0);
  expect(await count('Never look for the same bug in the other files.')).toBe(0);
});

test('a lost job loses the trial, it does not fail it', async () => {
  await expect(play({}, () => ({ kind: 'lost', reason: 'no disk' }))).rejects.toThrow(TrialLost);
});

test('a loop ends where the guard is set to stop, and goes on where it is off', async () => {
  const vague: Partial<JobOutcome> = { kind: 'failed', exitCode: 1, log: 'something went wrong\n' };
  const loop = { action: 'stop', window: 4, similarity: 0.9 } as const;
  expect((await play({ loop }, () => vague)).end).toBe('stopped-by-loop-guard');
  expect((await play({}, () => vague)).end).toBe('out-of-turns');
});

test('notes reach the next attempt by the memory genes', async () => {
  const notesSeen = async (memory: Genome['memory']) => {
    const rules = { on: { when: 'always', text: 'Never submit the last result now.' } } as const;
    const { trajectory } = await play({ memory, rules }, (n) => score(n));
    const openings = trajectory.steps.filter(
      (step) => step.source === 'user' && step.message.startsWith('# Task'),
    );
    return openings.map((step) => step.message.match(/^- attempt \d+: /gm)?.length ?? 0);
  };
  const all = await notesSeen({ notes: 8, chars: 300, keep_failures: true });
  expect(all.slice(0, 3)).toEqual([0, 1, 2]);
  const kept = await notesSeen({ notes: 8, chars: 300, keep_failures: false });
  expect(Math.max(...kept)).toBe(1);
  expect(Math.max(...(await notesSeen({ notes: 0, chars: 300, keep_failures: true })))).toBe(0);
});

test('trials that make the same files ask for the same jobs and submit the same', async () => {
  const files: string[][] = [[], []];
  for (const [i, text] of ['Smile.', 'Whistle a tune.'].entries()) {
    const { said } = await play({ rules: { mood: { when: 'always', text } } }, (n) => score(n));
    files[i] = said;
  }
  expect(files[0]).toEqual(files[1]);
});

test('a short max_tokens cuts the reply as an endpoint would, and the agent is told', async () => {
  const sampling = { ...plainGenome().sampling, temperature: 0, max_tokens: 64 };
  const { trajectory, submission } = await play({ sampling }, () => score(1));
  const results = trajectory.steps.flatMap((step) => step.observation?.results ?? []);
  expect(results.some((result) => result.content.includes('not JSON'))).toBe(true);
  expect(submission).toBe(false);
});
