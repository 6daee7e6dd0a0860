import type { Outcome, TrialSpec } from '../../src/evaluation/trial.ts';
import type { Candidate, Estimate, Event, RunIdentity } from '../../src/event.ts';
import { rngAt } from '../../src/rng.ts';

export const IDENTITY: RunIdentity = {
  seed: 1,
  population: 4,
  suite: 'mini',
  suiteHash: 'aaaa',
  model: 'offline',
  foundersHash: 'bbbb',
  search: {
    tournament: 3,
    elites: 1,
    firstTasks: 3,
    finalRepeats: 3,
    finalists: 2,
    sealedRepeats: 5,
    claims: 5,
    claimShare: 0.25,
  },
};

export const STARTED: Event = { type: 'started', identity: IDENTITY, baseline: 'c0', generations: 50 };

export function candidate(id: string, generation = 0, slot = 0): Candidate {
  return {
    id,
    parents: generation === 0 ? [] : ['c0'],
    operator: generation === 0 ? 'founder' : 'mutate-params',
    lineage: 'baseline',
    generation,
    slot,
    hypothesis: 'cooler — „kühler“',
    predicted: ['t1'],
    changes: [{ path: 'sampling.temperature', before: '0.7', after: '0.4' }],
    lessons: [],
  };
}

export function trial(id: string, genome = 'c0', repeat = 0): TrialSpec {
  return { id, genome, task: 't1', role: 'search', repeat, seed: 7 };
}

export function scored(score: number, usd = 0): Outcome {
  const usage = { tokensIn: 900, tokensOut: 120, usd, turns: 9, jobs: 3, gpuMs: 0 };
  return { kind: 'scored', score, raw: 0.5, medal: 'none', aboveMedian: false, usage, jobs: ['j1', 'j2'] };
}

const ESTIMATE: Estimate = { n: 8, sum: 1.6, squares: 0.5, score: 0.6, repeats: 1, shrunk: 0.1, error: 0.05 };

/** About `count` events as a run of that length journals them: 4 candidates a generation, 8 trials each. */
export function syntheticEvents(count: number): Event[] {
  const rng = rngAt('synthetic');
  const events: Event[] = [STARTED];
  for (let generation = 0; events.length < count; generation++) {
    const ids = [0, 1, 2, 3].map((slot) => (generation === 0 ? `c${slot}` : `g${generation}s${slot}`));
    ids.forEach((id, slot) => {
      events.push({ type: 'bred', candidate: candidate(id, generation, slot) });
    });
    const trials = ids.flatMap((id) =>
      [...Array(8).keys()].map((n) => trial(`${id}-${n}-${generation}`, id, n)),
    );
    events.push({ type: 'planned', generation, stage: 'first', trials: trials.map(({ id }) => id) });
    for (const spec of trials) {
      events.push({ type: 'tried', generation, trial: spec, outcome: scored(rng.next(), rng.next() / 1000) });
    }
    events.push({ type: 'dropped', generation, candidate: ids[3]!, behind: -0.2, error: 0.1 });
    const lesson = { symptom: 's', cause: 'c', advice: 'a', genes: [], evidence: [], lineage: 'baseline' };
    events.push({ type: 'lesson', generation, lesson: { id: `l${generation}`, generation, ...lesson } });
    events.push({
      type: 'generation',
      generation,
      estimates: Object.fromEntries(ids.map((id) => [id, { ...ESTIMATE, shrunk: rng.next() }])),
      survivors: ids.slice(0, 2),
      lessonRecords: { [`l${generation}`]: { bred: 1, gain: 0.1, retired: false } },
      operators: { crossover: { bred: generation, refused: 0, survived: 1, gain: 0.1 } },
    });
  }
  return events;
}
