import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openMemo } from '../../benchmarks/engine/arms/memo.ts';
import type { Evaluator, Outcome, TrialSpec } from '../../src/evaluation/trial.ts';
import type { Role } from '../../src/suite/suite.ts';
import { trajectory } from '../fixtures/trajectory.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-memo-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const usage = { tokensIn: 0, tokensOut: 0, usd: 0, gpuMs: 0, turns: 1, jobs: 0 };

function spec(id: string, role: Role = 'search'): TrialSpec {
  return { id, genome: 'g', task: 't', role, repeat: 0, seed: 1 };
}

/** Trials whose outcome says how often they were run; those named `lost…` are lost. */
function world(): { inner: Evaluator; trials: string; runs: Map<string, number> } {
  const trials = join(dir, 'trials');
  const runs = new Map<string, number>();
  const outcomeOf = ({ id }: TrialSpec): Outcome => {
    const run = (runs.get(id) ?? 0) + 1;
    runs.set(id, run);
    if (id.startsWith('lost')) return { kind: 'lost', reason: 'away' };
    mkdirSync(join(trials, id), { recursive: true });
    writeFileSync(join(trials, id, 'trajectory.json'), JSON.stringify(trajectory({ said: id })));
    return { kind: 'failed', reason: `run ${run}`, usage, jobs: [] };
  };
  const inner: Evaluator = {
    evaluate: async (specs) => specs.map(outcomeOf),
    close: async () => {},
  };
  return { inner, trials, runs };
}

it('runs a trial once, in this process and the next, and keeps what search trials did', async () => {
  const { inner, trials, runs } = world();
  const memo = openMemo(inner, dir, trials);
  const specs = [spec('a'), spec('b', 'sealed'), spec('a'), spec('lost')];
  await Promise.all([memo.evaluate(specs, () => {}), memo.evaluate(specs, () => {})]);
  await memo.close();
  // A kill while a line is written.
  appendFileSync(join(dir, 'outcomes.jsonl'), '{"id":"c","outc');
  const again = openMemo(inner, dir, trials);
  const heard: string[] = [];
  const outcomes = await again.evaluate([...specs, spec('c')], ({ id }) => heard.push(id));
  await again.close();
  const third = openMemo(inner, dir, trials);
  await third.evaluate([spec('c')], () => {});
  expect([...runs]).toEqual([
    ['a', 1],
    ['b', 1],
    ['lost', 2],
    ['c', 1],
  ]);
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(['failed', 'failed', 'failed', 'lost', 'failed']);
  expect(heard.sort()).toEqual(['a', 'a', 'b', 'c', 'lost']);
  const said = async (id: string) => (await third.readTrajectory(id))?.steps[2]?.message;
  expect([await said('a'), await said('b'), await said('c')]).toEqual(['a', undefined, 'c']);
  await third.close();
});

it('belongs to one process at a time', async () => {
  const { inner, trials } = world();
  const memo = openMemo(inner, dir, trials);
  expect(() => openMemo(inner, dir, trials)).toThrow(/in use/);
  await memo.close();
  await openMemo(inner, dir, trials).close();
});
