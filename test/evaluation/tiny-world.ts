import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TrialSpec, trialSpec } from '../../src/evaluation/trial.ts';
import { type Genome, TOOLS } from '../../src/genome/genome.ts';
import type { JobRunner, JobSpec } from '../../src/jobs/job.ts';
import { hashJson } from '../../src/json.ts';
import { gradeSubmission } from '../../src/suite/grade.ts';
import { loadSuiteWithAnswers } from '../../src/suite/load.ts';
import type { Grader, Suite } from '../../src/suite/suite.ts';
import { tinySuite, writeFiles } from '../fixtures/tiny-suite.ts';

/** A suite, a grader and a job runner in a temporary folder; `remove` takes it away. */
export type TinyWorld = {
  dir: string;
  trialsDir: string;
  suite: Suite;
  grader: Grader;
  /** A genome that makes the scripted model play `script`, kept by its id. */
  genome(script: string): string;
  genomes(id: string): Genome;
  spec(script: string, repeat?: number, task?: string): TrialSpec;
  remove(): void;
};

export async function tinyWorld(): Promise<TinyWorld> {
  const dir = mkdtempSync(join(tmpdir(), 'evolve-test-'));
  await writeFiles(join(dir, 'suite'), tinySuite());
  const { suite, answers } = await loadSuiteWithAnswers(join(dir, 'suite'));
  const genomes = new Map<string, Genome>();
  const genome = (script: string) => {
    const made = playing(script);
    genomes.set(hashJson(made), made);
    return hashJson(made);
  };
  return {
    dir,
    trialsDir: join(dir, 'trials'),
    suite,
    grader: {
      grade: async (task, csv) => gradeSubmission(answers.get(task)!, csv),
      close: async () => {},
    },
    genome,
    genomes: (id) => genomes.get(id)!,
    spec: (script, repeat = 0, task = 'tiny-search') =>
      trialSpec(1, 'scripted', genome(script), suite.tasks.find(({ id }) => id === task)!, repeat),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function playing(script: string): Genome {
  return {
    sampling: { temperature: 1, top_p: 1, frequency_penalty: 0, presence_penalty: 0, max_tokens: 1000 },
    rules: { script: { when: 'always', text: `play ${script}` } },
    skills: {},
    memory: { notes: 2, chars: 200, keep_failures: true },
    loop: { action: 'off', window: 4, similarity: 0.9 },
    tools: Object.fromEntries(TOOLS.map((name) => [name, true])) as Genome['tools'],
    limits: { turns: 6, jobs: 4, improve_share: 0.3, check_share: 0.2 },
  };
}

/** Runs jobs as plain child processes, without cache or slots; `children` are those that live. */
export function plainRunner(): JobRunner & { children: Set<ChildProcess>; asked: string[] } {
  const children = new Set<ChildProcess>();
  const asked: string[] = [];
  return {
    children,
    asked,
    run(spec: JobSpec, identity, signal) {
      asked.push(identity);
      const [command, ...args] = spec.command;
      const child = spawn(command === 'node' ? process.execPath : command!, args, {
        cwd: spec.folder,
        env: {},
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.add(child);
      let log = '';
      child.stdout.on('data', (text) => (log += text));
      const kill = () => child.kill('SIGKILL');
      signal?.addEventListener('abort', kill);
      if (signal?.aborted) kill();
      return new Promise((resolve) => {
        child.on('close', (exitCode) => {
          children.delete(child);
          signal?.removeEventListener('abort', kill);
          if (signal?.aborted) resolve({ kind: 'lost', reason: 'cancelled', log, ms: 1 });
          else if (exitCode === 0) resolve({ kind: 'done', outputs: spec.outputs, log, ms: 1 });
          else resolve({ kind: 'failed', exitCode: exitCode ?? 1, log, ms: 1 });
        });
      });
    },
    halted: new AbortController().signal,
    stats: () => ({ run: asked.length, hits: 0, busy: children.size, slots: 1, ms: 0 }),
    close: async () => {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}
