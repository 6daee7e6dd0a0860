import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Forecast,
  forecastBasis,
  forecastOf,
  type Setup,
  type Workload,
} from '../../src/commands/forecast.ts';
import type { Genome } from '../../src/genome/genome.ts';
import { loadGenome } from '../../src/genome/load.ts';
import type { Profile } from '../../src/llm/profile.ts';
import { profileOf } from '../../src/llm/profiles.ts';
import { loadSuite } from '../../src/suite/load.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const ONE_TRIAL: Workload = { trials: 1, mutations: 0, critiques: 0, generations: 1 };

let setup: Setup;
beforeAll(async () => {
  const suite = await loadSuite(path.join(ROOT, 'benchmarks/mini-mle'));
  const genome = await loadGenome(path.join(ROOT, 'genomes/baseline'));
  const tasks = suite.tasks.filter(({ role }) => role !== 'sealed');
  setup = { tasks, genome, profiles: all(profileOf('offline')), concurrency: 64, calls: 64 };
});

function all(profile: Profile): Setup['profiles'] {
  return { agent: profile, mutator: profile, critic: profile };
}

const priced: Profile = {
  ...profileOf('*'),
  name: 'priced',
  thinking: 'none',
  pace: { tokensPerSecond: 50, firstSeconds: 2 },
  price: { input: 1, cachedInput: 0.1, output: 10, asOf: '2026-11-01' },
};
const trial = (more: Partial<Setup> = {}, work: Partial<Workload> = {}): Forecast =>
  forecastOf({ ...ONE_TRIAL, ...work }, { ...setup, ...more });
/** The setup with some of the baseline's genes replaced. */
const withGenome = (genes: { [Section in keyof Genome]?: Partial<Genome[Section]> }): Partial<Setup> => {
  const genome = structuredClone(setup.genome);
  for (const [section, values] of Object.entries(genes)) {
    Object.assign(genome[section as keyof Genome]!, values);
  }
  return { genome };
};

describe('a trial of the baseline', () => {
  test('is forecast as it was measured with the offline model, within a tenth', () => {
    // 108 trials on search and validation tasks, seeds 1, 7 and 11.
    const { calls, tokensIn, tokensOut, usd } = trial();
    expect(Math.abs(calls / 15.2 - 1)).toBeLessThan(0.1);
    expect(Math.abs(tokensIn / 42_976 - 1)).toBeLessThan(0.1);
    expect(Math.abs(tokensOut / 3577 - 1)).toBeLessThan(0.1);
    expect(usd).toBe(0);
    expect(forecastBasis(setup)).toMatch(/^15 calls, \d+k tokens in and 4k out a trial, /);
  });

  test('grows with the texts that every call sends again', () => {
    const { tokensIn, calls } = trial();
    const rule = withGenome({ rules: { long: { when: 'always', text: 'x'.repeat(4000) } } });
    expect(trial(rule).tokensIn - tokensIn).toBeGreaterThan(0.9 * calls * 1000);
    const tasks = setup.tasks.map((task) => ({
      ...task,
      description: `${task.description}${'x'.repeat(4000)}`,
    }));
    expect(trial({ tasks }).tokensIn - tokensIn).toBeGreaterThan(0.9 * calls * 1000);
  });

  test('grows faster than its turns, which task and genome both bound', () => {
    const turns = (n: number) => withGenome({ limits: { turns: n } });
    const [few, many] = [trial(turns(6)), trial(turns(12))];
    expect(many.tokensIn).toBeGreaterThan(2.2 * few.tokensIn);
    expect(trial(turns(60)).tokensIn).toBe(trial(turns(18)).tokensIn);
  });

  test('without notes asks for none, and without tools sends none', () => {
    const plain = trial({ profiles: all(priced) });
    const noNotes = trial({ profiles: all(priced), ...withGenome({ memory: { notes: 0 } }) });
    expect(noNotes.calls).toBeLessThan(plain.calls);
    const noRun = trial({ profiles: all(priced), ...withGenome({ tools: { run: false } }) });
    expect(noRun.tokensIn).toBeLessThan(plain.tokensIn);
    expect(plain.tokensIn).toBeGreaterThan(trial().tokensIn);
  });

  test('costs what thinking costs: in the reply, and in the history where it goes back', () => {
    const by = (thinking: Profile['thinking']) => trial({ profiles: all({ ...priced, thinking }) });
    const [none, strip, sendBack] = [by('none'), by('strip'), by('send-back')];
    expect(strip.tokensOut).toBeGreaterThan(none.tokensOut);
    expect(strip.tokensIn).toBe(none.tokensIn);
    expect(sendBack.tokensOut).toBe(strip.tokensOut);
    expect(sendBack.tokensIn).toBeGreaterThan(strip.tokensIn);
    const bounded = withGenome({ sampling: { max_tokens: 100 } });
    expect(trial({ ...bounded, profiles: all({ ...priced, thinking: 'strip' }) }).tokensOut).toBeLessThan(
      1600,
    );
  });
});

describe('a run', () => {
  const work: Workload = { trials: 200, mutations: 40, critiques: 12, generations: 4 };

  test('costs the sum of its parts, each at the price of its model', () => {
    const dear = { ...priced, price: { ...priced.price!, input: 5, output: 50 } };
    const profiles = { agent: priced, mutator: dear, critic: dear };
    const only = (part: Partial<Workload>) =>
      forecastOf({ trials: 0, mutations: 0, critiques: 0, generations: 4, ...part }, { ...setup, profiles });
    const whole = forecastOf(work, { ...setup, profiles });
    const parts = [only({ trials: 200 }), only({ mutations: 40 }), only({ critiques: 12 })];
    expect(whole.usd).toBeCloseTo(
      parts.reduce((sum, { usd }) => sum + usd!, 0),
      6,
    );
    const agent = parts[0]!;
    expect(agent.usd).toBeCloseTo((agent.tokensIn + 10 * agent.tokensOut) / 1e6, 3);
    const critic = parts[2]!;
    expect(critic.usd).toBeCloseTo((5 * critic.tokensIn + 50 * critic.tokensOut) / 1e6, 3);
  });

  test('has no cost in dollars where a price is unknown, unless that model is never asked', () => {
    const profiles = { ...all(priced), critic: { ...priced, price: null } };
    expect(forecastOf(work, { ...setup, profiles }).usd).toBeNull();
    expect(forecastOf({ ...work, critiques: 0 }, { ...setup, profiles }).usd).not.toBeNull();
  });

  test('takes the longer the fewer calls are in flight, and never less than one trial after another', () => {
    const seconds = (concurrency: number, calls: number, more: Partial<Workload> = {}) =>
      trial({ profiles: all(priced), concurrency, calls }, { trials: 64, ...more }).seconds;
    const { calls, tokensOut } = trial({ profiles: all(priced) });
    const alone = seconds(1, 1, { trials: 1 });
    expect(alone).toBeGreaterThan(2 * (calls - 1) + tokensOut / 50);
    expect(seconds(64, 64)).toBeCloseTo(alone, 6);
    expect(seconds(64, 16)).toBeCloseTo(4 * alone, 6);
    expect(seconds(8, 64)).toBeCloseTo(8 * alone, 6);
    expect(seconds(64, 64, { generations: 4 })).toBeCloseTo(4 * alone, 6);
  });

  test('of nothing takes nothing', () => {
    const nothing = forecastOf({ trials: 0, mutations: 0, critiques: 0, generations: 0 }, setup);
    expect(nothing).toEqual({ calls: 0, tokensIn: 0, tokensOut: 0, usd: 0, seconds: 0 });
    expect(trial({ tasks: [] })).toMatchObject({ calls: 0, tokensIn: 0 });
  });
});
