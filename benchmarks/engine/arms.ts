/**
 * Arms at equal budget, over many seeds.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_DIR } from '../../src/config.ts';
import { runArm } from './arms/one-run.ts';
import { openWorld } from './arms/world.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1-20' },
    suite: { type: 'string', default: join(PACKAGE_DIR, 'benchmarks/mini-mle') },
    out: { type: 'string', default: join(PACKAGE_DIR, 'runs/arms') },
    lanes: { type: 'string', default: '3' },
  },
});
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
const world = await openWorld({
  suite: values.suite,
  genomes: join(PACKAGE_DIR, 'genomes'),
  out,
  jobCache: join(PACKAGE_DIR, 'runs/.cache/jobs'),
});
const search = {
  tournament: 3,
  elites: 3,
  firstTasks: 3,
  finalRepeats: 4,
  finalists: 3,
  sealedRepeats: 5,
  claims: 0,
  claimShare: 0,
};
const started = Date.now();
const one = async (seed: number) => {
  const { result, state } = await runArm(world, { seed, population: 8, generations: 8, search });
  const { run } = world.memo.counts();
  console.log(
    seed,
    result.verdict,
    result.gain,
    state.outcomes.size,
    world.memo.counts(),
    `${((60_000 * run) / (Date.now() - started)).toFixed(0)} a minute`,
  );
};
const [a, b] = values.seeds.split('-').map(Number);
const seeds = Array.from({ length: (b ?? a!) - a! + 1 }, (_, i) => a! + i);
await Promise.all(
  Array.from({ length: Number(values.lanes) }, async () => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) await one(seed);
  }),
);
await world.close();
