/**
 * A/A: whole runs of the engine in worlds in which no gene matters. Prints the share of runs with a false credit or a
 * false verdict, the exact upper bound of that share (95%, one-sided; it must be at most 6.5%), and the 95% interval of
 * the mean sealed gain over runs, which must hold 0.
 *
 * Noise is like the offline agent's. In the variants the temperature changes the size of the noise and not the mean
 * (`heat`), and most of it comes from rare failures besides, so that differences are skewed (`skewed`).
 *
 *   npm run bench:aa -- [--runs 1000] [--variants agent,heat,skewed] [--population 8] [--generations 10] [--processes 2]
 */
import { parseArgs } from 'node:util';
import { tInterval } from '../../src/statistics/interval.ts';
import { deviation, mean, points, range, share, upperBound } from './simulation/figures.ts';
import { inProcesses } from './simulation/in-processes.ts';
import { agentNoise, type Noise } from './simulation/noise.ts';
import { simulate, usualSearch } from './simulation/run.ts';
import { nullWorld } from './simulation/world.ts';

const VARIANTS: Record<string, Noise> = {
  agent: agentNoise,
  heat: { ...agentNoise, heat: true },
  skewed: { ...agentNoise, width: 0.05, heat: true },
};

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    variants: { type: 'string', default: Object.keys(VARIANTS).join(',') },
    population: { type: 'string', default: '8' },
    generations: { type: 'string', default: '10' },
    processes: { type: 'string', default: '2' },
  },
});
const runs = Number(values.runs);
const variants = values.variants.split(',');
const size = {
  population: Number(values.population),
  generations: Number(values.generations),
  search: usualSearch,
};

type Found = {
  claims: number;
  credits: number;
  verdict: string;
  gain: number;
  searched: boolean;
  trials: number;
};

async function oneRun(variant: string, seed: number): Promise<Found> {
  const noise = VARIANTS[variant];
  if (!noise) throw new Error(`there is no variant ${variant}`);
  const { result, planned } = await simulate({ ...nullWorld(seed), noise }, size);
  return {
    claims: result.claims.length,
    credits: result.claims.filter(({ credited }) => credited).length,
    verdict: result.verdict,
    gain: result.gain?.mean ?? 0,
    searched: result.champion?.id !== result.baseline.id,
    trials: Object.values(planned).reduce((sum, trials) => sum + trials, 0),
  };
}

const found = await inProcesses(Number(values.processes), runs * variants.length, (piece) =>
  oneRun(variants[Math.floor(piece / runs)]!, 1 + (piece % runs)),
);
for (const [i, variant] of variants.entries()) {
  const rows = found.slice(i * runs, (i + 1) * runs);
  const count = (test: (row: Found) => boolean) => rows.filter(test).length;
  const decided = (row: Found) => row.verdict === 'better' || row.verdict === 'worse';
  const either = count((row) => row.credits > 0 || decided(row));
  const bound = upperBound(either, runs);
  const gains = rows.map((row) => row.gain);
  const interval = tInterval(gains);
  const claims = rows.reduce((sum, row) => sum + row.claims, 0);
  console.log(`\n${variant}: ${runs} runs of ${size.population} × ${size.generations}`);
  console.log(`  trials a run: ${mean(rows.map((row) => row.trials)).toFixed(0)}`);
  console.log(
    `  champion is not the baseline: ${share(
      count((row) => row.searched),
      runs,
    )}`,
  );
  console.log(
    `  claims tested: ${claims}; runs with a false credit: ${share(
      count((row) => row.credits > 0),
      runs,
    )}`,
  );
  console.log(
    `  runs with the verdict better: ${share(
      count((row) => row.verdict === 'better'),
      runs,
    )}`,
  );
  console.log(
    `  runs with the verdict worse: ${share(
      count((row) => row.verdict === 'worse'),
      runs,
    )}`,
  );
  console.log(`  runs with any of these: ${share(either, runs)}`);
  console.log(`  upper bound of that, 95%: ${(100 * bound).toFixed(2)}%, at most 6.5%: ${bound <= 0.065}`);
  console.log(
    `  mean sealed gain: ${points(mean(gains))}, 95% ${range(interval)}, holds 0: ${interval[0] <= 0 && interval[1] >= 0}; deviates by ${(100 * deviation(gains)).toFixed(1)}`,
  );
}
