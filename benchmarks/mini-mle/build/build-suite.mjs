import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { loadSuite } from '../../../dist/suite/load.js';
import { writeSealedAudit } from '../../../dist/suite/write-audit.js';
import { formatColumns } from './csv.mjs';
import { makeData, writeTask } from './tables.mjs';
import { SHIPPED_SEED, TASKS } from './tasks.mjs';
import { FAMILIES, zooOf } from './zoo.mjs';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const USAGE = `node build-suite.mjs                      make the suite that ships, in place
  --seed S --out DIR    make a sister suite from other private seeds
  --check               make the shipped suite elsewhere and compare it byte for byte
  --tables-only         leave the leaderboards out
  --tasks a,b           these tasks only
  --threads N           how many threads score the zoo (2)`;

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    out: { type: 'string' },
    check: { type: 'boolean' },
    'tables-only': { type: 'boolean' },
    tasks: { type: 'string' },
    threads: { type: 'string', default: '2' },
    help: { type: 'boolean' },
  },
});

if (options.help) {
  console.log(USAGE);
} else if (options.seed !== undefined && (options.out === undefined || options.check)) {
  console.error(
    'A sister suite needs a folder of its own and has nothing to be compared with: --seed S --out DIR',
  );
  process.exitCode = 2;
} else if (options.check) {
  const dir = mkdtempSync(join(tmpdir(), 'mini-mle-'));
  try {
    await build(SHIPPED_SEED, dir);
    const wrong = differences(HERE, dir);
    console.log(wrong.length === 0 ? 'The shipped suite is what the builder makes.' : wrong.join('\n'));
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } finally {
    rmSync(dir, { recursive: true });
  }
} else {
  await build(Number(options.seed ?? SHIPPED_SEED), options.out ?? HERE);
}

async function build(seed, out) {
  const chosen = options.tasks ? TASKS.filter((task) => options.tasks.split(',').includes(task.id)) : TASKS;
  for (const task of chosen) {
    const dir = join(out, 'tasks', task.id);
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    writeTask(task, makeData(task, seed), dir);
  }
  const tasks = TASKS.map(({ id, role }) => ({ id, role }));
  writeFileSync(
    join(out, 'suite.json'),
    `${JSON.stringify({ name: 'mini-mle', version: '1', tasks }, null, 2)}\n`,
  );
  writeFileSync(join(out, 'zoo.csv'), writtenOut());
  if (options['tables-only']) return;
  await scoreZoo(seed, out, chosen);
  // Some tasks alone, in a folder of their own, are no suite yet.
  if (TASKS.every(({ id }) => existsSync(join(out, 'tasks', id))))
    await writeSealedAudit(await loadSuite(out));
}

/** The zoo as a table: family, tier, method. */
function writtenOut() {
  const rows = Object.keys(FAMILIES).flatMap((family) => zooOf(family).map((row) => ({ family, ...row })));
  return formatColumns({
    family: rows.map((row) => row.family),
    tier: rows.map((row) => row.tier),
    method: rows.map((row) => row.name),
  });
}

/** Leaderboards, on a few threads that each take the next task. */
async function scoreZoo(seed, out, chosen) {
  const queue = chosen.map((task) => task.id);
  const one = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./leaderboard.mjs', import.meta.url), { workerData: { seed, out } });
      const next = () => worker.postMessage(queue.shift() ?? null);
      worker.on('message', next);
      worker.on('error', reject);
      worker.on('exit', resolve);
      next();
    });
  await Promise.all(Array.from({ length: Number(options.threads) }, one));
}

/** Files under `tasks/` that are not equal in both folders. */
function differences(a, b) {
  const list = (dir) =>
    readdirSync(join(dir, 'tasks'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(dir.length));
  const files = new Set([...list(a), ...list(b), 'suite.json', 'zoo.csv']);
  const read = (dir, file) => {
    try {
      return readFileSync(join(dir, file), 'utf8');
    } catch {
      return null;
    }
  };
  return [...files].filter((file) => read(a, file) !== read(b, file)).map((file) => `differs: ${file}`);
}
