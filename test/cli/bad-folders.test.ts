import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallWorld } from '../fixtures/small-world.ts';
import { emptyFolder, evolve } from './evolve.ts';

let folder: ReturnType<typeof emptyFolder>;
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(path.join(folder.dir, 'whole'));
});
afterAll(() => folder.remove());

const edit = (file: string, change: (text: string) => string) =>
  writeFileSync(file, change(readFileSync(file, 'utf8')));
const TASK = 'suite/tasks/s1';
const GENOME = 'genomes/cool';
const skill = (dir: string, name: string, text: string) => {
  mkdirSync(path.join(dir, GENOME, 'skills', name), { recursive: true });
  writeFileSync(path.join(dir, GENOME, 'skills', name, 'SKILL.md'), text);
};

/** What is broken, and what the one line must name. */
const BROKEN: [string, (dir: string) => void, RegExp][] = [
  [
    'no answers',
    (dir) => rmSync(`${dir}/${TASK}/prepared/private/answers.csv`),
    /s1\/prepared\/private\/answers\.csv/,
  ],
  [
    'a wrong column',
    (dir) => edit(`${dir}/${TASK}/task.json`, (text) => text.replace('"y"', '"z"')),
    /s1\/.*"?z"?/,
  ],
  [
    'an unknown metric',
    (dir) => edit(`${dir}/${TASK}/task.json`, (text) => text.replace('rmse', 'rmsee')),
    /s1\/task\.json.*rmsee/,
  ],
  [
    'a task that asks for more GPUs than there are',
    (dir) => edit(`${dir}/${TASK}/task.json`, (text) => text.replace('"turns"', '"gpus": 4000, "turns"')),
    /task 's1' asks for 4000 GPUs, \d+ here/,
  ],
  ['a task that is missing', (dir) => rmSync(`${dir}/${TASK}`, { recursive: true }), /tasks\/s1/],
  [
    'a gene out of range',
    (dir) => edit(`${dir}/${GENOME}/genome.json`, (text) => text.replace('0.5', '2.5')),
    /cool.*sampling.*temperature/,
  ],
  [
    'an unknown gene',
    (dir) => edit(`${dir}/${GENOME}/genome.json`, (text) => text.replace('"top_p"', '"top_k": 3, "top_p"')),
    /cool.*top_k/,
  ],
  ['a skill with a wrong name', (dir) => skill(dir, 'Big--Skill', '---\nname: x\n---\n'), /Big--Skill/],
  [
    'a skill whose name is not its folder',
    (dir) => skill(dir, 'ab', '---\nname: cd\ndescription: x\n---\nText\n'),
    /skills\/ab/,
  ],
  [
    'broken front matter',
    (dir) => writeFileSync(`${dir}/${GENOME}/rules/bad.md`, '---\nwhen: [always\n---\nText\n'),
    /rules\/bad\.md/,
  ],
  [
    'a symbolic link',
    (dir) => symlinkSync('/etc/passwd', `${dir}/${GENOME}/rules/link.md`),
    /rules\/link\.md.*symbolic link/,
  ],
  [
    'a file of 100 MB',
    (dir) => {
      writeFileSync(`${dir}/${GENOME}/rules/huge.md`, '');
      truncateSync(`${dir}/${GENOME}/rules/huge.md`, 100 * 2 ** 20);
    },
    /rules\/huge\.md/,
  ],
];

test.each(BROKEN)('%s: one line that names it, exit code 2, nothing written', async (name, breakIt, line) => {
  const dir = path.join(folder.dir, name.replaceAll(' ', '-'));
  cpSync(path.join(folder.dir, 'whole'), dir, { recursive: true });
  breakIt(dir);
  const before = folder.files();
  const args = ['--suite', 'suite', '--genomes', 'genomes', '--population', '4', '--generations', '1'];
  const { code, stdout, stderr } = await evolve(args, { cwd: dir });
  expect(stderr).toMatch(line);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(folder.files()).toEqual(before);
});

test.skipIf(process.getuid?.() === 0)('a read-only --out', async () => {
  const dir = path.join(folder.dir, 'whole');
  mkdirSync(path.join(dir, 'shut'), { mode: 0o555 });
  const args = ['--suite', 'suite', '--genomes', 'genomes', '--out', 'shut/run'];
  expect(await evolve(args, { cwd: dir })).toMatchObject({ code: 2, stdout: '' });
  chmodSync(path.join(dir, 'shut'), 0o755);
});
