/**
 * Does the search find better harnesses, seed after seed? Runs `evolve` with the default configuration on the shipped
 * suite (or `--suite DIR`) for each seed, one after the other, and prints a line a seed: sealed scores of baseline and
 * champion, near and far, which claims were credited on validation tasks, and what it cost. A run that is there already is
 * not repeated, one that was cut goes on.
 *
 *   node benchmarks/engine/seeds.mjs [--seeds 1,2,3] [--out runs/seeds] [--suite DIR]
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3,4,5,6,7,8,9,10' },
    out: { type: 'string', default: join(root, 'runs/seeds') },
    suite: { type: 'string', default: join(root, 'benchmarks/mini-mle') },
  },
});

const results = values.seeds.split(',').map((seed) => {
  const out = join(values.out, `seed-${seed}`);
  const flags = [
    '--population',
    '16',
    '--generations',
    '50',
    '--suite',
    values.suite,
    '--seed',
    seed,
    '--out',
    out,
  ];
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...flags, '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`seed ${seed} ended with exit code ${status}`);
  const { tasks, claims } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
  return { seed, ...JSON.parse(stdout), tasks, claims };
});

const percent = (part, whole) => `${part < 0 ? '−' : '+'}${Math.abs((100 * part) / whole).toFixed(0)}%`;
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
console.log(
  '| seed | baseline | champion | gain | near | far | p | verdict | credited | lineage | trials | jobs | hits | minutes |',
);
console.log('|---|---|---|---|---|---|---|---|---|---|---|---|---|---|');
for (const { seed, baseline, champion, gain, near, far, verdict, claims, trials, jobs, wallMs } of results) {
  const credited = (kind) => claims.filter((claim) => claim.kind === kind && claim.credited).length;
  const cells = [
    seed,
    baseline.sealed.toFixed(3),
    champion.sealed.toFixed(3),
    percent(gain.mean, baseline.sealed),
    percent(near.gain, near.baseline),
    percent(far.gain, far.baseline),
    gain.p.toFixed(4),
    verdict,
    `${credited('champion') ? 'champion' : '–'}, ${credited('step')} of ${claims.length - 1} steps`,
    champion.lineage,
    trials.run,
    jobs.run,
    `${((100 * jobs.hits) / (jobs.run + jobs.hits)).toFixed(0)}%`,
    (wallMs / 60_000).toFixed(1),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
const won = results.filter(({ gain }) => gain.mean > 0).length;
const shares = results.map(({ gain, baseline }) => gain.mean / baseline.sealed);
console.log(
  `\nbetter on sealed tasks in ${won} of ${results.length}; mean gain ${percent(mean(shares), 1)} of the baseline's score`,
);

console.log('\n| task | role | baseline | champion |\n|---|---|---|---|');
for (const task of results[0].tasks) {
  const over = (who) =>
    mean(results.map(({ tasks }) => tasks.find((row) => row.task === task.task)[who])).toFixed(3);
  const role = task.distance ? `${task.role}, ${task.distance}` : task.role;
  console.log(`| ${task.task} | ${role} | ${over('baseline')} | ${over('champion')} |`);
}
