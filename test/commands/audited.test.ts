import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { auditedSuite, suiteWarnings } from '../../src/commands/audited.ts';
import { validate } from '../../src/commands/validate.ts';
import { loadSuite } from '../../src/suite/load.ts';
import type { Suite } from '../../src/suite/suite.ts';
import { tinyTask, writeFiles } from '../fixtures/tiny-suite.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'audited-'));
});
afterEach(() => rm(dir, { recursive: true }));

type Entry = { id: string; role: string; unfit?: boolean; family?: string };

/** Writes a suite of tiny tasks; on those that are unfit, knowing nothing beats the median. */
async function write(entries: Entry[]): Promise<void> {
  const tasks = entries.map(({ id, role }) => ({ id, role }));
  await writeFiles(dir, { 'suite.json': JSON.stringify({ name: 's', tasks }) });
  for (const [i, { id, unfit, family = 'f' }] of entries.entries()) {
    const files = tinyTask(i / 100);
    files['task.json'] = files['task.json']!.replace('tabular-regression', family);
    if (unfit) files['leaderboard.csv'] = 'score\n0.1\n90\n91\n92\n';
    await writeFiles(join(dir, id), files);
  }
}

const audited = async (): Promise<Suite> => auditedSuite(await loadSuite(dir));
const idsOf = ({ tasks }: Suite) => tasks.map(({ id }) => id);

async function validated(...flags: string[]): Promise<string> {
  const lines: string[] = [];
  const context = {
    interruption: () => new AbortController().signal,
    endOfWatching: () => new AbortController().signal,
    print: (line: string) => lines.push(line),
    note: () => {},
  };
  const code = await validate([dir], Object.fromEntries(flags.map((flag) => [flag, true])), context);
  return `${code} ${lines.join('\n')}`;
}

it('leaves out unfit tasks of search and validation, and says so', async () => {
  await write([
    { id: 's1', role: 'search' },
    { id: 's2', role: 'search', unfit: true },
    { id: 'v1', role: 'validation', unfit: true },
  ]);
  const suite = await audited();
  expect(idsOf(suite)).toEqual(['s1']);
  const why = "the sample submission is above its leaderboard's median";
  expect(suite.leftOut).toEqual([`s2: ${why}`, `v1: ${why}`]);
  expect(suite.hash).toBe((await loadSuite(dir)).hash);
  const said = suiteWarnings(suite);
  expect(said.slice(0, 2)).toEqual([`left out of the run: s2: ${why}`, `left out of the run: v1: ${why}`]);
  expect(said.join('\n')).toMatch(/no sealed tasks.*\n.*no validation tasks.*\n.*one search task/);
});

it('takes a suite that is fit as it is', async () => {
  await write([
    { id: 's1', role: 'search' },
    { id: 's2', role: 'search' },
  ]);
  expect(await audited()).toEqual(await loadSuite(dir));
});

it('refuses a suite of which no search task is left', async () => {
  await write([
    { id: 's1', role: 'search', unfit: true },
    { id: 'v1', role: 'validation' },
  ]);
  await expect(audited()).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(/\(s1: /) });
  await write([{ id: 'v1', role: 'validation' }]);
  await expect(audited()).rejects.toThrow('the suite s has no search task');
});

it('goes by what suite.json says of sealed tasks, as long as that is of the same files', async () => {
  await write([
    { id: 's1', role: 'search' },
    { id: 'n1', role: 'sealed', unfit: true },
    { id: 'n2', role: 'sealed' },
  ]);
  const { hash } = await loadSuite(dir);
  const never = await audited();
  expect(idsOf(never)).toEqual(['s1', 'n1', 'n2']);
  expect(suiteWarnings(never)).toContainEqual(
    `the sealed tasks were never audited; \`evolve validate --audit ${dir}\` does it`,
  );

  expect(await validated('audit')).toMatch(
    /^0 ok.*\n {2}2 sealed tasks audited, 1 unfit.*\n {2}n1: the sample/,
  );
  const known = await audited();
  expect(known.hash).toBe(hash);
  expect(idsOf(known)).toEqual(['s1', 'n2']);
  expect(suiteWarnings(known).join()).not.toContain('audited');

  await writeFiles(join(dir, 'n2'), { 'leaderboard.csv': 'score\n0.2\n0.3\n' });
  const changed = await audited();
  expect(idsOf(changed)).toEqual(['s1', 'n1', 'n2']);
  expect(suiteWarnings(changed)).toContainEqual(
    expect.stringMatching(/have changed since they were audited/),
  );
});

it.each([
  ['no audit at all', 'null'],
  ['tasks that are missing', '{"hash": HASH, "tasks": {}}'],
  ['a reason with escape codes', '{"hash": HASH, "tasks": {"n1": "\\u001b[2J"}}'],
  ['a reason that is none', '{"hash": HASH, "tasks": {"n1": {}}}'],
])('trusts no audit with %s', async (_, audit) => {
  await write([
    { id: 's1', role: 'search' },
    { id: 'n1', role: 'sealed' },
  ]);
  const { hash } = await loadSuite(dir);
  const file = JSON.parse(await readFile(join(dir, 'suite.json'), 'utf8'));
  const known = JSON.parse(audit.replace('HASH', JSON.stringify(hash)));
  await writeFiles(dir, { 'suite.json': JSON.stringify({ ...file, audit: known }) });
  const suite = await audited();
  expect(idsOf(suite)).toEqual(['s1', 'n1']);
  expect(suiteWarnings(suite)[0]).toMatch(/^the sealed tasks .* audited/);
});

it('never lets what stands in suite.json leave out a task that is not sealed', async () => {
  await write([
    { id: 's1', role: 'search' },
    { id: 's2', role: 'search' },
    { id: 'n1', role: 'sealed' },
  ]);
  const { hash } = await loadSuite(dir);
  const file = JSON.parse(await readFile(join(dir, 'suite.json'), 'utf8'));
  const audit = { hash, tasks: { s2: 'unwanted', n1: null } };
  await writeFiles(dir, { 'suite.json': JSON.stringify({ ...file, audit }) });
  expect(idsOf(await audited())).toEqual(['s1', 's2', 'n1']);
});

it('calls a sealed task far where the search tasks of its family are left out', async () => {
  await write([
    { id: 's1', role: 'search', family: 'a' },
    { id: 's2', role: 'search', family: 'b', unfit: true },
    { id: 'n1', role: 'sealed', family: 'a' },
    { id: 'n2', role: 'sealed', family: 'b' },
  ]);
  expect((await audited()).tasks.map(({ distance }) => distance)).toEqual([null, 'near', 'far']);
});

it('refuses roles that share data, and so does validate', async () => {
  await write([
    { id: 's1', role: 'search' },
    { id: 'n1', role: 'sealed' },
  ]);
  await writeFiles(join(dir, 'n1'), {
    'prepared/public/train.csv': tinyTask()['prepared/public/train.csv']!,
  });
  const said = 'the tasks "s1" (search) and "n1" (sealed) of the suite s have the same training data';
  await expect(audited()).rejects.toThrow(said);
  expect(await validated()).toContain(said);
  expect(await validated()).toMatch(/^2 PROBLEMS/);
});
