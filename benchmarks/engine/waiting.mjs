// How much it costs to wait: many trials at once on a model that takes its time to answer, as real ones do.
// `npm run bench:waiting [-- TRIALS [SECONDS]]`: trials in flight (256), seconds that each answer takes (2).
import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { openModels } from '../../dist/commands/models.js';
import { partiesOf } from '../../dist/commands/parties.js';
import { readConfig } from '../../dist/config.js';
import { poolEvaluator } from '../../dist/evaluation/pool.js';
import { trialSpec } from '../../dist/evaluation/trial.js';
import { genomeId } from '../../dist/genome/hash.js';
import { loadGenome } from '../../dist/genome/load.js';
import { localRunner } from '../../dist/jobs/local/local.js';
import { serveOffline } from '../../dist/offline/serve.js';
import { startGrader } from '../../dist/suite/grader.js';
import { loadSuite } from '../../dist/suite/load.js';

if (process.argv[2] === '--serve') await serveSlowly(Number(process.argv[3]));
else await main(Number(process.argv[2] ?? 256), Number(process.argv[3] ?? 2));

async function main(trials, seconds) {
  const server = fork(fileURLToPath(import.meta.url), ['--serve', String(seconds)]);
  const url = await new Promise((done) => server.once('message', done));
  const folder = mkdtempSync(join(tmpdir(), 'evolve-waiting-'));
  try {
    print(trials, seconds, await measure(url, trials, folder, () => mostInFlight(server)));
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the trials, all at once, and looks at this process meanwhile. */
async function measure(url, trials, folder, mostAsked) {
  process.env.OPENAI_BASE_URL = url;
  const config = await readConfig({ model: 'offline', calls: String(trials), concurrency: String(trials) });
  const parties = partiesOf(config);
  const models = openModels(
    { ...parties, agent: { ...parties.agent, baseURL: url } },
    config,
    folder,
    new AbortController().signal,
    {
      paused: (reason) => console.error(`paused: ${reason}`),
      unpaused: () => {},
    },
  );
  const suite = await loadSuite(config.suite);
  const genome = await loadGenome(join(config.genomes, 'baseline'));
  const runner = localRunner({ cacheDir: resolve('runs/.cache/jobs'), hidden: [suite.dir, folder] });
  const grader = await startGrader(suite.dir);
  const { workers, concurrency } = config;
  const evaluator = poolEvaluator({
    ...{ workers, concurrency, trialsDir: join(folder, 'trials'), suite, grader, runner, model: 'offline' },
    ...{ genomes: () => genome, llm: models.agent, profile: parties.agent.profile },
  });
  const tasks = suite.tasks.filter(({ role }) => role === 'search');
  const specs = Array.from({ length: trials }, (_, i) => {
    const task = tasks[i % tasks.length];
    return trialSpec(1, 'offline', genomeId(genome), task, Math.floor(i / tasks.length));
  });
  const most = { memory: 0, threads: 0 };
  const watch = setInterval(() => {
    most.memory = Math.max(most.memory, process.memoryUsage().rss);
    most.threads = Math.max(most.threads, readdirSync('/proc/self/task').length);
  }, 100);
  const begun = performance.now();
  const before = performance.eventLoopUtilization();
  const outcomes = await evaluator.evaluate(specs, () => {});
  const load = performance.eventLoopUtilization(before).utilization;
  const wallMs = performance.now() - begun;
  clearInterval(watch);
  const asked = await mostAsked();
  await evaluator.close();
  await grader.close();
  await runner.close();
  const { calls, failed } = models.ledger.totals();
  models.close();
  const lost = outcomes.filter(({ kind }) => kind === 'lost').length;
  return { ...most, load, wallMs, asked, calls, failed, lost, workers };
}

function print(trials, seconds, { memory, threads, load, wallMs, asked, calls, failed, lost, workers }) {
  const rows = [
    ['trials at once', `${trials}, ${lost} lost`],
    ['calls at once, as the endpoint saw them', `${asked} at most; each takes ${seconds} s`],
    ['calls', `${calls}, ${failed} failed`],
    ['worker threads', `${workers} (${threads} threads in the process, those of Node itself included)`],
    ['load of the main thread', `${(100 * load).toFixed(0)}% of one core`],
    ['memory of the process', `${Math.round(memory / 2 ** 20)} MB at most`],
    ['calls a second', (calls / (wallMs / 1000)).toFixed(0)],
    ['time', `${(wallMs / 1000).toFixed(1)} s on ${availableParallelism()} cores, jobs included`],
  ];
  for (const [what, value] of rows) console.log(`${what.padEnd(42)}${value}`);
}

/** An endpoint in a process of its own: the offline model, after a while. */
async function serveSlowly(seconds) {
  const model = await serveOffline();
  let inFlight = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    most = Math.max(most, ++inFlight);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    await new Promise((done) => setTimeout(done, 1000 * seconds));
    const { method } = request;
    const body = method === 'POST' ? Buffer.concat(chunks) : null;
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(model.url.replace(/\/v1$/, request.url), { method, headers, body });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') });
    response.end(Buffer.from(await answer.arrayBuffer()));
    inFlight--;
  });
  server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}/v1`));
  process.on('message', () => process.send(most));
}

function mostInFlight(server) {
  server.send('most');
  return new Promise((done) => server.once('message', done));
}
