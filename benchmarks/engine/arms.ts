/**
 * What is a population worth? Runs it and its control arms at equal cost on each seed: the single keep-or-revert chain,
 * random mutation without selection, and the baseline drawn again (best of N by what the agent itself knew); then the
 * arms again, stopped at the wall time of the population's search on 4, 16 and 64 slots by a simulated clock; then the
 * population with one part left out. Sealed tasks are scored for the champion and the baseline of each run and steer
 * nothing. Runs share trials and jobs; what is there already is not run again, so that it can be killed and goes on.
 *
 *   npm run bench:arms -- [--seeds 1-20] [--arms population,chain,…] [--trials 600] [--suite DIR] [--out DIR]
 *                         [--slots 4,16,64] [--pace 10,60,30] [--lanes 3] [--tables]
 *
 * `--pace`: seconds of a turn, a job, a call of mutator or critic. `--slots none` leaves equal wall time out, `--tables`
 * only prints what is there. `OUT/results.jsonl` has a line a run, `OUT/memo` the trials.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_DIR } from '../../src/config.ts';
import { hashJson } from '../../src/json.ts';
import { type Pace, USUAL_PACE } from '../../src/report/clock.ts';
import { ARMS, POPULATION, parseArms, parseSeeds, searchOf, TIMED } from './arms/arm.ts';
import { measureAtTime, measureResample, measureSearch } from './arms/measure-arm.ts';
import { type ArmResult, openResults } from './arms/results.ts';
import { armsTable, editsTable } from './arms/tables.ts';
import { openWorld } from './arms/world.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1-20' },
    arms: { type: 'string', default: ARMS.join(',') },
    trials: { type: 'string', default: '600' },
    suite: { type: 'string', default: join(PACKAGE_DIR, 'benchmarks/mini-mle') },
    genomes: { type: 'string', default: join(PACKAGE_DIR, 'genomes') },
    out: { type: 'string', default: join(PACKAGE_DIR, 'runs/arms') },
    slots: { type: 'string', default: '4,16,64' },
    pace: { type: 'string', default: Object.values(USUAL_PACE).join(',') },
    lanes: { type: 'string', default: '3' },
    tables: { type: 'boolean', default: false },
  },
});
const arms = [...new Set(['population', ...parseArms(values.arms)])];
const seeds = parseSeeds(values.seeds);
const trials = Number(values.trials);
const slots = values.slots === 'none' ? [] : values.slots.split(',').map(Number);
const [turn, job, call] = values.pace.split(',').map(Number);
const pace: Pace = { turn: turn!, job: job!, call: call! };
const out = resolve(values.out);
mkdirSync(out, { recursive: true });

const world = await openWorld({
  suite: values.suite,
  genomes: values.genomes,
  out,
  jobCache: join(PACKAGE_DIR, 'runs/.cache/jobs'),
});
const name = hashJson([
  world.suite.hash,
  world.suite.tasks.map(({ id, role }) => [id, role]),
  world.founders.hash,
  world.constitution,
  POPULATION,
  searchOf('population', trials),
  pace,
]);
const results = openResults(out, name);
const found = (arm: string, seed: number, at: number | null) =>
  results.all.find((result) => result.arm === arm && result.seed === seed && result.slots === at);

const isAblation = (arm: string) => arm.startsWith('without-');
const equal = (arm: string) => (seed: number) => ({
  arm,
  seed,
  at: null as number | null,
  run: async () =>
    arm === 'resample'
      ? await measureResample(world, seed, trials)
      : await measureSearch(world, arm, seed, trials),
});
const timed = (arm: string, at: number) => (seed: number) => ({
  arm,
  seed,
  at: at as number | null,
  run: async () =>
    await measureAtTime(world, arm, await ensure('population', seed), await ensure(arm, seed), at, pace),
});
// Whole comparisons of a few seeds are worth more than one arm of all: seeds outside, arms inside.
const stages = [
  arms.filter((arm) => !isAblation(arm)).map(equal),
  slots.flatMap((at) =>
    arms.filter((arm) => TIMED.includes(arm) && arm !== 'resample').map((arm) => timed(arm, at)),
  ),
  arms.filter(isAblation).map(equal),
  slots.flatMap((at) => (arms.includes('resample') ? [timed('resample', at)] : [])),
];
const queue = stages.flatMap((kinds) => seeds.flatMap((seed) => kinds.map((kind) => kind(seed))));

/** The result of an arm at equal trials, from the file or from a run. */
async function ensure(arm: string, seed: number): Promise<ArmResult> {
  const before = found(arm, seed, null);
  if (before) return before;
  const task = equal(arm)(seed);
  return { ...(await task.run()), world: name };
}

const started = Date.now();
let done = 0;
async function work(): Promise<void> {
  for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
    done++;
    const { arm, seed, at } = task;
    if (found(arm, seed, at)) continue;
    const result = { ...(await task.run()), world: name };
    if (!found(arm, seed, at)) results.add(result);
    const { run, asked } = world.memo.counts();
    const minutes = (Date.now() - started) / 60_000;
    console.error(
      `${done}/${done + queue.length} ${arm} seed ${seed}${at === null ? '' : ` at ${at} slots`}: ` +
        `${result.gain?.mean.toFixed(3)} after ${result.generations} generations, ${result.requested} trials; ` +
        `${run} of ${asked} trials run, ${(run / minutes).toFixed(0)} a minute`,
    );
  }
}
try {
  if (!values.tables) await Promise.all(Array.from({ length: Number(values.lanes) }, work));
} finally {
  await world.close();
}

const chosen = (at: number | null) =>
  results.all.filter(
    (result) =>
      seeds.includes(result.seed) &&
      (result.slots === at || (result.arm === 'population' && result.slots === null)),
  );
const controls = arms.filter((arm) => !isAblation(arm));
console.log(`\nAt ${trials} trials an arm, on ${world.suite.name}\n\n${armsTable(chosen(null), controls)}`);
for (const at of slots) {
  console.log(
    `\nAt the population's simulated wall time on ${at} slots\n\n${armsTable(chosen(at), controls)}`,
  );
}
console.log(`\nOne part left out\n\n${armsTable(chosen(null), ['population', ...arms.filter(isAblation)])}`);
console.log(`\nWhat the edits of the LLM changed\n\n${editsTable(chosen(null), arms)}`);
console.log(
  `\n\`believed\`: on the finals' search tasks; of resample, what luck alone would report of its trials`,
);
