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
import { rngAt } from '../../../dist/rng.js';
import { formatCsv, parseCsv } from '../../../dist/suite/csv.js';
import { loadSuite } from '../../../dist/suite/load.js';
import { writeSealedAudit } from '../../../dist/suite/write-audit.js';
import { CONFIGS, SHIPPED_SEED, TASKS } from './configs.mjs';
import { setConstants } from './constants.mjs';
import { scoreNgrams } from './ngrams.mjs';
import { ALPHABET, makeText } from './text.mjs';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const USAGE = `node build.mjs                      make the suite that ships, in place
  --config gpu --out DIR   the suite for one GPU (cpu unless told)
  --seed S --out DIR       other texts
  --check                  make the shipped suite elsewhere and compare it byte for byte`;

const { values: options } = parseArgs({
  options: {
    config: { type: 'string', default: 'cpu' },
    seed: { type: 'string' },
    out: { type: 'string' },
    check: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

if (options.help) console.log(USAGE);
else if (!Object.hasOwn(CONFIGS, options.config)) fail(`unknown --config ${options.config}: cpu or gpu`);
else if (!options.out && (options.seed !== undefined || options.config !== 'cpu')) {
  fail('another suite than the one that ships needs a folder of its own: --out DIR');
} else if (options.check) await check();
else await build(options.config, Number(options.seed ?? SHIPPED_SEED), options.out ?? HERE);

function fail(message) {
  console.error(message);
  process.exitCode = 2;
}

async function check() {
  const dir = mkdtempSync(join(tmpdir(), 'autoresearch-'));
  try {
    await build('cpu', SHIPPED_SEED, dir, HERE);
    const files = ['suite.json', ...list(dir)];
    const stray = list(HERE).filter((file) => !files.includes(file));
    const wrong = [...stray, ...files.filter((file) => read(HERE, file) !== read(dir, file))];
    console.log(
      wrong.length === 0 ? 'The shipped suite is what the builder makes.' : `differs: ${wrong.join(', ')}`,
    );
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function list(dir) {
  return readdirSync(join(dir, 'tasks'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(dir, '/').length));
}

function read(dir, file) {
  return existsSync(join(dir, file)) ? readFileSync(join(dir, file), 'utf8') : null;
}

/** Makes a suite in `out`. Leaderboards take the rows of train.py from the `trained.csv` of `measured`, if it is there. */
async function build(name, seed, out, measured = out) {
  const config = CONFIGS[name];
  const trained = readTrained(measured);
  rmSync(join(out, 'tasks'), { recursive: true, force: true });
  for (const task of TASKS) writeTask(join(out, 'tasks', task.id), task, config, seed, trained.get(task.id));
  const suite = {
    name: name === 'cpu' ? 'autoresearch' : `autoresearch-${name}`,
    version: '1',
    setup: 'npm run setup:autoresearch',
    tasks: TASKS,
  };
  write(out, 'suite.json', json(suite));
  await writeSealedAudit(await loadSuite(out));
}

function writeTask(dir, { id, role }, config, seed, trained) {
  const { words, bytes, contexts, window, limits } = config;
  const family = id.replace(/-\d+$/, '');
  // One text: first what may be seen, then the windows of the test, each with the byte that is hidden.
  const text = makeText(rngAt('autoresearch', seed, id), family, words, bytes + contexts * (window + 1));
  const cases = Array.from({ length: contexts }, (_, i) => {
    const from = bytes + i * (window + 1);
    return { context: text.slice(from, from + window), next: text[from + window] };
  });
  const seen = text.slice(0, bytes);
  const columns = ALPHABET.map((symbol) => `b${symbol.charCodeAt(0)}`);
  const table = (cell) =>
    formatCsv(
      ['id', ...columns],
      cases.map((one, i) => [`t${i + 1}`, ...ALPHABET.map((symbol) => cell(one, symbol))]),
    );
  const program = fill(read(HERE, 'program.md'), config);
  const open = 'prepared/public';
  write(dir, `${open}/text.txt`, seen);
  write(dir, `${open}/contexts.txt`, cases.map(({ context }) => `${JSON.stringify(context)}\n`).join(''));
  write(
    dir,
    `${open}/sample_submission.csv`,
    table(() => '1'),
  );
  write(dir, `${open}/description.md`, describe(program, config));
  write(
    dir,
    'prepared/private/answers.csv',
    table(({ next }, symbol) => (symbol === next ? '1' : '0')),
  );
  write(dir, 'prepared/start/program.md', program);
  write(
    dir,
    'prepared/start/prepare.py',
    setConstants(read(HERE, 'prepare.py'), {
      ...config.prepare,
      TRAIN_SECONDS: config.seconds,
      WINDOW: window,
    }),
  );
  write(dir, 'prepared/start/train.py', setConstants(read(HERE, 'train.py'), config.train));
  write(dir, 'leaderboard.csv', leaderboard([...scoreZoo(seen, cases), ...trained]));
  const task = {
    id,
    role,
    family,
    metric: 'bits-per-byte',
    direction: 'min',
    idColumn: 'id',
    targetColumns: columns,
    limits,
    runtime: 'python',
    modules: ['torch'],
    train: ['python', 'train.py'],
    editable: ['train.py'],
    ...(role === 'search' ? { prune: { metric: 'val_bpb', direction: 'min' } } : {}),
  };
  write(dir, 'task.json', json(task));
}

function describe(program, { bytes, contexts, window }) {
  return `${program.trim()}

## Evaluation

Metric: bits-per-byte (lower is better)

That is the mean of −log2 of the probability given to the byte that really came next.

## Data

- \`text.txt\`: ${bytes} bytes of text to learn from; the last tenth is what \`prepare.py\` validates on
- \`contexts.txt\`: ${contexts} lines, each a JSON string: ${window} bytes of other text in the same language, of which the next byte is to be predicted
- \`sample_submission.csv\`: a submission in the right form

## Submission

A file \`submission.csv\` with the columns of the sample: \`id\` (t1 is the first line of \`contexts.txt\`) and one column for each byte (\`b97\` is \`a\`), its probability. Rows are divided by their sums.
`;
}

function fill(text, { seconds, limits }) {
  return text.replace('{{seconds}}', seconds).replace('{{limit}}', limits.jobSeconds);
}

/** All orders on all of the text (a megabyte at most), a quarter and a sixteenth of it. */
function scoreZoo(text, cases) {
  const rows = [];
  for (const part of [1, 4, 16]) {
    const scores = scoreNgrams(
      text.slice(0, Math.floor(Math.min(text.length, 2 ** 20) / part)),
      cases,
      7,
      ALPHABET.length,
    );
    scores.forEach((score, i) => {
      if (i > 0) rows.push({ name: `order ${i - 1} on 1/${part}`, score });
      else if (part === 1) rows.push({ name: 'all equal', score });
    });
  }
  return rows;
}

/** What train.py gave under some settings, as it was measured once (measure.mjs): task → rows. */
function readTrained(dir) {
  const text = read(dir, 'trained.csv');
  const found = new Map(TASKS.map(({ id }) => [id, []]));
  for (const [task, setting, score] of text === null ? [] : parseCsv(text).rows)
    found.get(task).push({ name: `train.py: ${setting}`, score: Number(score) });
  return found;
}

/** A leaderboard in MLE-bench's form, best first; the team is the method. */
function leaderboard(rows) {
  const header = ['scoreNullable', 'teamId', 'hasTeamName', 'submissionDate', 'score', 'hasScore'];
  const sorted = rows.toSorted((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1));
  const cells = sorted.map(({ name, score }) => {
    const text = score.toFixed(4);
    return [text, name, 'True', '2026-01-01 00:00:00', text, 'True'];
  });
  return formatCsv(header, cells);
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function write(dir, file, text) {
  mkdirSync(join(dir, file, '..'), { recursive: true });
  writeFileSync(join(dir, file), text);
}
