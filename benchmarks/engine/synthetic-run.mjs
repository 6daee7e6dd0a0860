import { rngAt } from '../../dist/rng.js';
import {
  concludeGeneration,
  firstTrials,
  raceNewcomers,
  remainingTrials,
} from '../../dist/selection/barrier.js';
import { apply, emptyState } from '../../dist/state.js';

const OPERATORS = ['mutate-params', 'mutate-text', 'crossover'];

/** Eight search tasks, as a suite knows them; their folders are empty. */
export function syntheticTasks(publicDir) {
  return Array.from({ length: 8 }, (_, i) => ({
    id: `task-${i}`,
    role: 'search',
    family: 'tabular-classification',
    distance: null,
    metric: 'accuracy',
    direction: 'max',
    idColumn: 'id',
    targetColumns: ['target'],
    limits: { turns: 4, jobs: 1, jobSeconds: 1, memoryMb: 64, clock: 'cpu', gpus: 0, cpus: 1 },
    runtime: 'node',
    modules: [],
    train: ['node', 'main.mjs'],
    env: [],
    network: false,
    prune: null,
    editable: null,
    startDir: null,
    publicDir,
    publicHash: `hash-${i}`,
    description: 'Nothing to do.',
  }));
}

/**
 * A run as the real search would have journalled it, with random scores in place of trials: at least `count` events,
 * up to the moment before a barrier, which is what `round` waits for.
 */
export function syntheticRun(count, tasks) {
  const identity = {
    seed: 1,
    population: 16,
    suite: 'synthetic',
    suiteHash: 'none',
    model: 'none',
    foundersHash: 'none',
    search: { tournament: 3, elites: 4, firstTasks: 3, finalRepeats: 12, finalists: 6, sealedRepeats: 5 },
  };
  const rng = rngAt('synthetic run');
  const state = emptyState();
  const events = [];
  const record = (event) => {
    events.push(event);
    apply(state, event);
  };
  const run = { identity, state };
  const measure = (stage, generation, trials) => {
    record({ type: 'planned', generation, stage, trials: trials.map(({ id }) => id) });
    for (const trial of trials) record({ type: 'tried', generation, trial, outcome: outcomeOf(rng) });
  };
  record({ type: 'started', identity, baseline: 'g0s0', generations: 50 });
  for (let generation = 0; ; generation++) {
    const children = identity.population - (generation === 0 ? 0 : state.survivors.length);
    const bred = Array.from({ length: children }, (_, slot) => candidate(generation, slot, state, rng));
    for (const child of bred) record({ type: 'bred', candidate: child });
    const round = { generation, bred, tasks };
    measure('first', generation, firstTrials(run, round));
    for (const { id, behind, error, dropped } of raceNewcomers(run, round)) {
      if (dropped) record({ type: 'dropped', generation, candidate: id, behind, error });
    }
    measure('rest', generation, remainingTrials(run, round));
    for (let i = 0; i < 3; i++) record({ type: 'lesson', generation, lesson: lesson(generation, i) });
    if (events.length >= count) return { ...run, events, round };
    record(concludeGeneration(run, round));
  }
}

function candidate(generation, slot, state, rng) {
  const founder = generation === 0 && slot < 4;
  const parents = generation === 0 ? (founder ? [] : ['g0s0']) : [rng.pick(state.survivors)];
  const lessons = [...state.lessons.keys()].slice(-3);
  return {
    id: `g${generation}s${slot}`,
    parents,
    operator: founder ? 'founder' : generation === 0 ? 'varied-founder' : rng.pick(OPERATORS),
    lineage: state.candidates.get(parents[0])?.lineage ?? `founder-${slot % 4}`,
    generation,
    slot,
    hypothesis: 'A cooler head makes fewer slips.',
    predicted: ['task-1'],
    changes: [{ path: 'sampling.temperature', before: '0.8', after: '0.6' }],
    lessons,
  };
}

function lesson(generation, i) {
  const evidence = [`g${generation}s${i}`];
  const said = {
    symptom: 'It fell behind.',
    cause: 'A slip in two files.',
    advice: 'Look into the other files.',
  };
  return {
    id: `l${generation}-${i}`,
    ...said,
    genes: ['rules.x'],
    evidence,
    lineage: 'founder-0',
    generation,
  };
}

function outcomeOf(rng) {
  const usage = { tokensIn: 9000, tokensOut: 1200, usd: 0, turns: 11, jobs: 3, gpuMs: 0 };
  const jobs = ['0123456789abcdef', '0123456789abcdef', '0123456789abcdef'];
  const score = rng.next();
  return { kind: 'scored', score, raw: score, medal: 'none', aboveMedian: score > 0.5, usage, jobs };
}
