/**
 * Health checks of the offline world: do the levers that it was built with exist, and do harmful rules harm?
 * Paired differences to `genomes/baseline` on search tasks of sister suites; the shipped suite is never touched.
 *
 *   node benchmarks/engine/offline-world.mjs [--seeds 101,102] [--repeats 20] [--arms all]
 *
 * A check is a difference of at least two standard errors over at least 300 trials an arm, in the direction that it
 * names. Suites are built on first use.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { poolEvaluator } from '../../dist/evaluation/pool.js';
import { scoreOf, trialSpec } from '../../dist/evaluation/trial.js';
import { genomeId } from '../../dist/genome/hash.js';
import { loadGenome } from '../../dist/genome/load.js';
import { localRunner } from '../../dist/jobs/local/local.js';
import { loadSkillLibrary } from '../../dist/offline/skills.js';
import { startGrader } from '../../dist/suite/grader.js';
import { loadSuite } from '../../dist/suite/load.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '101,102' },
    repeats: { type: 'string', default: '20' },
    role: { type: 'string', default: 'search' },
    arms: { type: 'string', default: 'all' },
  },
});
const root = fileURLToPath(new URL('../../', import.meta.url));
const baseline = await loadGenome(join(root, 'genomes/baseline'));
const library = loadSkillLibrary();

const sampled = (genome, change) => ({ ...genome, sampling: { ...genome.sampling, ...change } });
const ruled = (genome, when, text) => ({ ...genome, rules: { ...genome.rules, added: { when, text } } });
const skilled = (genome, names) => ({
  ...genome,
  skills: { ...genome.skills, ...Object.fromEntries(names.map((name) => [name, library[name]])) },
});
const siblings = 'After a fix, look for the same bug in the other files and fix it there too.';
const useful = Object.keys(library).filter((name) => !['code-style', 'project-documentation'].includes(name));
const loop = { action: 'warn', window: 4, similarity: 0.9 };

const ARMS = {
  baseline,
  'temperature 0': sampled(baseline, { temperature: 0 }),
  'temperature 0.25': sampled(baseline, { temperature: 0.25 }),
  'temperature 0.5': sampled(baseline, { temperature: 0.5 }),
  'temperature 0.75': sampled(baseline, { temperature: 0.75 }),
  'temperature 1.3': sampled(baseline, { temperature: 1.3 }),
  'top_p 0.9': sampled(baseline, { top_p: 0.9 }),
  'same-bug rule': ruled(baseline, 'after-fix', siblings),
  'loop guard': {
    ...ruled(baseline, 'on-loop', 'Fix the line that the error names, or write another model.'),
    loop,
  },
  'loop guard alone': { ...baseline, loop },
  memory: { ...baseline, memory: { notes: 8, chars: 300, keep_failures: true } },
  'no memory': { ...baseline, memory: { notes: 0, chars: 200, keep_failures: false } },
  'all skills': skilled(baseline, useful),
  'all skills, temperature 0.5': sampled(skilled(baseline, useful), { temperature: 0.5 }),
  'all skills, temperature 0.5, no memory': {
    ...sampled(skilled(baseline, useful), { temperature: 0.5 }),
    memory: { notes: 0, chars: 200, keep_failures: false },
  },
  'harm: start over': ruled(
    baseline,
    'after-error',
    'Throw the files away and start over from a clean slate.',
  ),
  'harm: run again': ruled(
    baseline,
    'after-error',
    'Run the same training again and see whether it works now.',
  ),
  'harm: look again': ruled(baseline, 'always', 'Look at the first rows of the data again before each step.'),
  'harm: submit now': ruled(baseline, 'always', 'Submit the last result now: done is better than perfect.'),
};

const wanted = values.arms === 'all' ? Object.keys(ARMS) : ['baseline', ...values.arms.split(',')];
const genomes = new Map(wanted.map((name) => [genomeId(ARMS[name]), ARMS[name]]));
const scores = Object.fromEntries(wanted.map((name) => [name, []]));
const runner = localRunner({ cacheDir: join(root, 'runs/.cache/jobs') });
for (const seed of values.seeds.split(',')) {
  const suite = await loadSuite(sister(seed));
  const tasks = suite.tasks.filter((task) => task.role === values.role);
  const trialsDir = mkdtempSync(join(tmpdir(), 'offline-world-'));
  const grader = await startGrader(suite.dir);
  const evaluator = poolEvaluator({
    workers: availableParallelism(),
    concurrency: 4 * availableParallelism(),
    trialsDir,
    suite,
    genomes: (id) => genomes.get(id),
    runner,
    grader,
    model: 'offline',
  });
  for (const name of wanted) {
    const specs = tasks.flatMap((task) =>
      Array.from({ length: Number(values.repeats) }, (_, repeat) =>
        trialSpec(1, 'offline', genomeId(ARMS[name]), task, repeat),
      ),
    );
    const outcomes = await evaluator.evaluate(specs, () => {});
    scores[name].push(...outcomes.map(scoreOf));
  }
  await evaluator.close();
  await grader.close();
  rmSync(trialsDir, { recursive: true, force: true });
}
await runner.close();

console.log('arm                                      mean   diff     SE      z      n');
const table = Object.fromEntries(wanted.map((name) => [name, compare(scores[name], scores.baseline)]));
for (const [name, { mean, diff, error, z, n }] of Object.entries(table)) {
  const shown = error > 0 ? z.toFixed(1) : '';
  console.log(
    `${name.padEnd(39)} ${points(mean)} ${points(diff)} ${points(error)} ${shown.padStart(6)} ${String(n).padStart(6)}`,
  );
}
if (values.arms === 'all') {
  const beats = (one, other) => compare(scores[one], scores[other]).z >= 2;
  const checks = {
    'the same-bug rule helps': table['same-bug rule'].z >= 2,
    'the loop guard helps': table['loop guard'].z >= 2,
    'memory helps where there is something to remember': beats(
      'all skills, temperature 0.5',
      'all skills, temperature 0.5, no memory',
    ),
    'temperature 0.5 beats both 0 and 1':
      beats('temperature 0.5', 'temperature 0') && beats('temperature 0.5', 'baseline'),
    'harmful rules harm': wanted
      .filter((name) => name.startsWith('harm'))
      .every((name) => table[name].z <= -2),
  };
  for (const [check, ok] of Object.entries(checks)) console.log(`${ok ? 'pass' : 'FAIL'}  ${check}`);
  process.exitCode = Object.values(checks).every(Boolean) ? 0 : 1;
}

/** The sister suite of a seed, built on first use. */
function sister(seed) {
  const dir = join(root, 'runs/.cache/sisters', seed);
  if (!existsSync(join(dir, 'suite.json'))) {
    const build = join(root, 'benchmarks/mini-mle/build/build-suite.mjs');
    const { status } = spawnSync(process.execPath, [build, '--seed', seed, '--out', dir], {
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error(`the sister suite ${seed} could not be built`);
  }
  return dir;
}

function compare(own, reference) {
  const pairs = own.flatMap((score, i) =>
    score === null || reference[i] === null ? [] : [score - reference[i]],
  );
  const diff = mean(pairs);
  const error = Math.sqrt(mean(pairs.map((x) => (x - diff) ** 2)) / (pairs.length - 1));
  return { mean: mean(own.filter((score) => score !== null)), diff, error, z: diff / error, n: pairs.length };
}

function mean(values) {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function points(share) {
  return (100 * share).toFixed(1).padStart(6);
}
