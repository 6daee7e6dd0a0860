import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runAgent } from '../../src/agent/run-agent.ts';
import type { Genome } from '../../src/genome/genome.ts';
import type { JobOutcome, JobSpec } from '../../src/jobs/job.ts';
import { offlineLlm } from '../../src/offline/offline-llm.ts';
import { CONSTANTS } from '../../src/offline/research/knowledge.ts';
import { loadSuite } from '../../src/suite/load.ts';
import { plainGenome } from '../fixtures/genomes.ts';

const suite = await loadSuite('benchmarks/autoresearch');
const task = suite.tasks[0]!;
const start = readFileSync(join(task.startDir!, 'train.py'), 'utf8');
const sample = 'id,b32,b97\nt1,1,1\n';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-research-'));
  mkdirSync(join(dir, 'public'));
  writeFileSync(join(dir, 'public', 'sample_submission.csv'), sample);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Bits per byte as some training might give them: best at LEARNING_RATE 0.01 and a falling schedule. */
function pretended(program: string): number {
  const value = (name: string) => new RegExp(`^${name} = (.*)$`, 'm').exec(program)?.[1] ?? '';
  const off = Math.abs(Math.log10(Number(value('LEARNING_RATE')) / 0.01));
  return 1.2 + 0.6 * off + (value('SCHEDULE') === '"constant"' ? 0.2 : 0) + 0.05 * Number(value('DEPTH'));
}

/** A training that takes no time: what is no number crashes it, as Python would. */
function trained(spec: JobSpec, programs: string[]): JobOutcome {
  const program = readFileSync(join(spec.folder, 'train.py'), 'utf8');
  programs.push(program);
  if (/^[A-Z0-9_]+ = .*,$/m.test(program)) {
    const log =
      'Traceback (most recent call last):\n  File "/work/train.py", line 110, in <module>\nTypeError';
    return { kind: 'failed', exitCode: 1, log, ms: 1 };
  }
  writeFileSync(join(spec.folder, 'submission.csv'), sample);
  return { kind: 'done', log: `validation bits-per-byte: ${pretended(program)}`, ms: 1, outputs: [] };
}

let trials = 0;
async function research(seed: number, genome: Genome) {
  const programs: string[] = [];
  const at = trials++;
  const folders = { folder: join(dir, `trial-${at}`), scratch: join(dir, `scratch-${at}`) };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  const { trajectory, end } = await runAgent(
    genome,
    { ...task, publicDir: join(dir, 'public') },
    {
      llm: offlineLlm(),
      model: 'offline',
      seed,
      ...folders,
      job: async (spec) => ({ identity: 'job', outcome: trained(spec, programs) }),
    },
  );
  const agent = trajectory.steps.filter((step) => step.source === 'agent');
  return { programs, end, agent };
}

const seeds = Array.from({ length: 8 }, (_, i) => i + 1);
const genome = (change: Partial<Genome> = {}) => plainGenome({ ...change });

describe('the stand-in does research where the folder holds a train.py', () => {
  test('it begins with the program as it stands, and changes it by lines NAME = value alone', async () => {
    const names = Object.keys(CONSTANTS).join('|');
    const plain = (program: string) => program.replace(new RegExp(`^(${names}) = .*$`, 'gm'), '$1');
    for (const seed of seeds) {
      const { programs } = await research(seed, genome());
      expect(programs.length).toBeGreaterThan(2);
      expect(new Set(programs.map(plain))).toEqual(new Set([plain(start)]));
    }
  });

  test('keeping and discarding, it finds better settings than it was given', async () => {
    const found = [];
    for (const seed of seeds) {
      const { programs } = await research(
        seed,
        genome({ sampling: { ...genome().sampling, temperature: 0.7 } }),
      );
      found.push(Math.min(...programs.map(pretended).filter(Number.isFinite)));
    }
    const better = found.filter((bits) => bits < pretended(start));
    expect(better.length, `best of each: ${found.join(', ')}`).toBeGreaterThan(seeds.length / 2);
  });

  test('the same request gives the same reply', async () => {
    const first = await research(1, genome());
    expect((await research(1, genome())).agent).toEqual(first.agent);
  });

  test('a rule acts by its words', async () => {
    const text = 'Read train.py and see what it does.';
    const looks = async (rules: Genome['rules']) => {
      let count = 0;
      for (const seed of seeds) {
        const { agent } = await research(seed, genome({ rules, limits: { ...genome().limits, turns: 1 } }));
        if (agent[0]?.message === text) count++;
      }
      return count;
    };
    const without = await looks({});
    expect(await looks({ look: { when: 'always', text } })).toBeGreaterThan(without);
    expect(await looks({ look: { when: 'always', text: `Never ${text.toLowerCase()}` } })).toBeLessThan(
      without,
    );
  });
});

test('every start value of train.py stands on its ladder, for one GPU too', () => {
  for (const [name, { rungs }] of Object.entries(CONSTANTS)) {
    expect(rungs, name).toContain(new RegExp(`^${name} = (.*)$`, 'm').exec(start)?.[1]);
  }
});
