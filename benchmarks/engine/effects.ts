/**
 * Planted effects: one rule of 24 gains 10 or 20 points, the others nothing. For each effect and size of run: how often the
 * champion carries the rule, is credited, and is found better on sealed tasks, against the trials that a run takes; and
 * how often intervals cover the truth, which is known.
 *
 * The sealed 95% interval is one over task means, so it speaks of all tasks that could be drawn: `population`. Over the
 * same tasks drawn, `same tasks`, it is too wide where the effect differs from task to task (`unlike`: by ± 100% of
 * itself). A claim's interval speaks of the mean over the validation tasks themselves; those of credited claims are
 * adjusted for their selection (e-BY).
 *
 *   npm run bench:effects -- [--runs 300] [--sizes 4x4,8x10,16x20] [--processes 2]
 */
import { parseArgs } from 'node:util';
import { mean, points, share } from './simulation/figures.ts';
import { inProcesses } from './simulation/in-processes.ts';
import { simulate, usualSearch } from './simulation/run.ts';
import { nullWorld, type SimulatedWorld, trueGain } from './simulation/world.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '300' },
    sizes: { type: 'string', default: '4x4,8x10,16x20' },
    processes: { type: 'string', default: '2' },
  },
});
const runs = Number(values.runs);
const settings = values.sizes
  .split(',')
  .flatMap((size) => [0.1, 0.2].flatMap((effect) => [0, 1].map((unlike) => ({ size, effect, unlike }))));

type Setting = (typeof settings)[number];
type Found = {
  trials: number;
  claimTrials: number;
  carries: boolean;
  credited: boolean;
  better: boolean;
  /** Sealed interval over the truth, of all tasks and of those drawn. */
  population: boolean;
  sameTasks: boolean;
  width: number;
  /** For each credited claim, whether its interval covers. */
  creditedCover: boolean[];
  otherCover: boolean[];
  falseCredits: number;
};

const PLANTED = 'gene-0';

async function oneRun({ size, effect, unlike }: Setting, seed: number): Promise<Found> {
  const [population, generations] = size.split('x').map(Number) as [number, number];
  const none = nullWorld(seed);
  const world: SimulatedWorld = {
    ...none,
    unlike,
    effects: none.effects.map((_, i) => (i === 0 ? effect : 0)),
  };
  const elites = Math.min(6, Math.max(1, Math.floor((3 * population) / 8)));
  const run = await simulate(world, { population, generations, search: { ...usualSearch, elites } });
  const { result, planned } = run;
  const [champion, baseline] = [run.genome(result.champion!.id), run.genome(result.baseline.id)];
  const covers = ([low, high]: readonly [number, number], truth: number) => low <= truth && truth <= high;
  const { ci95 } = result.gain!;
  const truthOf = (claim: { candidate: string; against: string }) =>
    trueGain(world, run.genome(claim.candidate), run.genome(claim.against), run.tasksOf('validation'));
  const coverage = (credited: boolean) =>
    result.claims
      .filter((claim) => claim.credited === credited)
      .map((claim) => covers(claim.interval, truthOf(claim)));
  return {
    trials: Object.values(planned).reduce((sum, trials) => sum + trials, 0),
    claimTrials: planned.validation,
    carries: PLANTED in champion.rules,
    credited: result.champion!.credited,
    better: result.verdict === 'better',
    population: covers(ci95, trueGain(world, champion, baseline, null)),
    sameTasks: covers(ci95, trueGain(world, champion, baseline, run.tasksOf('sealed'))),
    width: ci95[1] - ci95[0],
    creditedCover: coverage(true),
    otherCover: coverage(false),
    falseCredits: result.claims.filter((claim) => claim.credited && truthOf(claim) <= 0).length,
  };
}

const found = await inProcesses(Number(values.processes), runs * settings.length, (piece) =>
  // No two runs share a seed: their luck, and the coverage counted over them, would not be independent.
  oneRun(settings[Math.floor(piece / runs)]!, 1 + piece),
);

console.log(`${runs} runs a line; shares in %, over all runs of the line\n`);
console.log(
  '| size | effect | unlike | trials | of claims | champion carries it | credited | verdict better | width |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const [i, { size, effect, unlike }] of settings.entries()) {
  const rows = found.slice(i * runs, (i + 1) * runs);
  const percent = (test: (row: Found) => boolean) => ((100 * rows.filter(test).length) / runs).toFixed(0);
  const cells = [
    size.replace('x', ' × '),
    points(effect),
    unlike === 0 ? 'no' : '± 100%',
    mean(rows.map((row) => row.trials)).toFixed(0),
    mean(rows.map((row) => row.claimTrials)).toFixed(0),
    percent((row) => row.carries),
    percent((row) => row.credited),
    percent((row) => row.better),
    points(mean(rows.map((row) => row.width))),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

console.log('\nCoverage, with exact 95% intervals of the share:\n');
for (const unlike of [0, 1]) {
  const rows = found.filter((_, i) => settings[Math.floor(i / runs)]!.unlike === unlike);
  const of = (test: (row: Found) => boolean) => share(rows.filter(test).length, rows.length);
  const claims = (key: 'creditedCover' | 'otherCover') => {
    const all = rows.flatMap((row) => row[key]);
    return share(all.filter(Boolean).length, all.length);
  };
  console.log(
    unlike === 0 ? 'the same effect on every task' : '\nthe effect differs between tasks by ± 100% of itself',
  );
  console.log(`  sealed interval covers, population: ${of((row) => row.population)}`);
  console.log(`  sealed interval covers, same tasks: ${of((row) => row.sameTasks)}`);
  console.log(`  intervals of credited claims cover: ${claims('creditedCover')}`);
  console.log(`  intervals of other claims cover: ${claims('otherCover')}`);
  console.log(`  credits of no true gain: ${rows.reduce((sum, row) => sum + row.falseCredits, 0)}`);
}
