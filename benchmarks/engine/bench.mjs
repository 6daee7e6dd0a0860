// What the engine itself costs: `npm run bench`. Each figure with the run at 1,000 and at 100,000 events; they
// should be alike, since no step may grow with the run's length. It writes below runs/, on the disk that runs use.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { poolEvaluator } from '../../dist/evaluation/pool.js';
import { trialSpec } from '../../dist/evaluation/trial.js';
import { genomeId } from '../../dist/genome/hash.js';
import { loadGenome } from '../../dist/genome/load.js';
import { rngAt } from '../../dist/rng.js';
import { concludeGeneration } from '../../dist/selection/barrier.js';
import { tournament } from '../../dist/selection/tournament.js';
import { apply, emptyState } from '../../dist/state.js';
import { openJournal, readJournal } from '../../dist/store/journal.js';
import { crossover } from '../../dist/variation/crossover.js';
import { syntheticRun, syntheticTasks } from './synthetic-run.mjs';

const SIZES = [1_000, 100_000];
const SILENT_MODEL = `export const llm = () => async () => ({
  message: { role: 'assistant', content: '' }, finish: 'stop', tokensIn: 1, tokensOut: 1 });`;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

mkdirSync(join(ROOT, 'runs'), { recursive: true });
const folder = mkdtempSync(join(ROOT, 'runs', '.bench-'));
try {
  const columns = [];
  for (const size of SIZES) columns.push(await measure(size));
  print(columns);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(size) {
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'sample_submission.csv'), 'id,target\n1,0\n');
  const tasks = syntheticTasks(data);
  const { identity, state, events, round } = syntheticRun(size, tasks);
  const path = join(folder, `journal-${size}.jsonl`);
  const journal = await openJournal(path, { seq: 0, bytes: 0, size: 0 });
  for (const event of events) journal.append(event);
  await journal.commit();
  const outcome = events.findLast(({ type }) => type === 'tried');

  const replay = await best(3, async () => {
    const replayed = emptyState();
    await readJournal(path, (event) => apply(replayed, event));
  });

  const [first, second] = await Promise.all(
    ['baseline', 'explorer'].map((name) => loadGenome(join(ROOT, 'genomes', name))),
  );
  const idle = idlePool(tasks, first, 'throw new Error("the end")');
  const silent = idlePool(tasks, first, SILENT_MODEL);
  let n = 0;
  const nextTrial = () => trialSpec(1, 'none', 'genome', tasks[0], n++);

  const bench = new Bench({ time: 500, iterations: 20, warmupTime: 100, warmupIterations: 5 });
  bench
    .add('one journal append', () => journal.append(outcome))
    .add('one journal append and commit (fsync)', async () => {
      journal.append(outcome);
      await journal.commit();
    })
    .add('a barrier: estimates, survivors, records', () => {
      concludeGeneration({ identity, state }, round);
    })
    .add('one selection round: 16 tournaments', () => {
      const rng = rngAt('bench', n++);
      for (let i = 0; i < 16; i++) tournament(state.survivors, state.estimates, 3, rng);
    })
    .add('one crossover', () => {
      crossover(first, second, rngAt('bench', n++));
    })
    .add('one genome hash', () => {
      genomeId(first);
    })
    .add('one trip to a worker and back', async () => {
      // A trial whose model cannot be made ends in the thread at once, and that is told back.
      const fault = await idle.evaluate([nextTrial()], () => {}).catch((error) => error);
      if (!String(fault?.stack).includes('the end')) throw new Error(`a trip went wrong: ${fault?.stack}`);
    })
    .add('one trial of 4 turns with a model that says nothing', async () => {
      const [ended] = await silent.evaluate([nextTrial()], () => {});
      if (ended.kind !== 'failed') throw new Error(`a silent trial went wrong: ${JSON.stringify(ended)}`);
    });
  await bench.run();
  await Promise.all([idle.close(), silent.close(), journal.close()]);
  for (const { name, result } of bench.tasks) {
    if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`, { cause: result.error });
  }
  const rows = bench.tasks.map(({ name, result }) => [name, result.latency.p50, result.latency.p99]);
  return { size, events: events.length, rows: [...rows, [`replay of the whole journal`, replay, replay]] };
}

/** Two threads with the model that `source` makes; nothing there to run jobs or to grade. */
function idlePool(tasks, genome, source) {
  return poolEvaluator({
    workers: 2,
    concurrency: 2,
    trialsDir: join(folder, 'trials'),
    suite: { name: 'synthetic', version: '1', dir: folder, hash: 'none', tasks },
    genomes: () => genome,
    grader: {
      grade: async () => ({ valid: false, reason: 'nothing is graded here' }),
      close: async () => {},
    },
    runner: {
      run: async () => ({ kind: 'lost', reason: 'no jobs here', log: '', ms: 0 }),
      stats: () => ({ run: 0, hits: 0, busy: 0, slots: 0, ms: 0 }),
      close: async () => {},
    },
    model: 'none',
    llm: { module: `data:text/javascript,${encodeURIComponent(source)}` },
  });
}

/** The shortest of several times, ms. */
async function best(times, action) {
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await action();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}

function print(columns) {
  console.log(
    `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`,
  );
  const heads = columns.map(({ events }) => `at ${events.toLocaleString('en')} events`);
  console.log(`${''.padEnd(52)}${heads.map((head) => head.padStart(26)).join('')}`);
  console.log(`${''.padEnd(52)}${heads.map(() => 'median'.padStart(14) + 'p99'.padStart(12)).join('')}`);
  columns[0].rows.forEach(([name], i) => {
    const cells = columns.map(({ rows }) => time(rows[i][1]).padStart(14) + time(rows[i][2]).padStart(12));
    console.log(`${name.padEnd(52)}${cells.join('')}`);
  });
}

function time(ms) {
  if (ms < 1) return `${(ms * 1000).toFixed(1)} µs`;
  return ms < 1000 ? `${ms.toFixed(2)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
