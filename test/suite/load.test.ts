import { mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { loadSuite } from '../../src/suite/load.ts';
import { tinySuite, writeFiles } from '../fixtures/tiny-suite.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'suite-'));
});
afterEach(() => rm(dir, { recursive: true }));

const TASK = 'tasks/tiny-search';

/** The tiny suite with one file changed, or left out where the change gives null. */
async function withChange(path: string, change: (text: string) => string | null): Promise<Promise<unknown>> {
  const files = tinySuite();
  const text = change(files[path] ?? '');
  if (text === null) delete files[path];
  else files[path] = text;
  await writeFiles(dir, files);
  return loadSuite(dir);
}

describe('loadSuite', () => {
  it('gives tasks in the order of suite.json, without answers', async () => {
    await writeFiles(dir, tinySuite());
    const suite = await loadSuite(dir);
    expect(suite.tasks.map(({ id, role, distance }) => [id, role, distance])).toEqual([
      ['tiny-search', 'search', null],
      ['tiny-validation', 'validation', null],
      ['tiny-sealed', 'sealed', 'near'],
    ]);
    expect(suite.tasks[0]).toMatchObject({
      metric: 'rmse',
      direction: 'min',
      idColumn: 'id',
      targetColumns: ['y'],
    });
    expect(suite.tasks[0]!.publicDir).toBe(join(dir, TASK, 'prepared/public'));
    expect(JSON.stringify(suite)).not.toContain('3.5');
  });

  it('takes a suite without roles as it is, and refuses one where only some tasks have a role', async () => {
    const files = tinySuite();
    const suite = JSON.parse(files['suite.json']!);
    const tasks = suite.tasks.map(({ id }: { id: string }) => ({ id }));
    await writeFiles(dir, { ...files, 'suite.json': JSON.stringify({ ...suite, tasks }) });
    const loaded = await loadSuite(dir);
    expect(loaded.roleless).toBe(true);
    expect(loaded.tasks.map(({ role, distance }) => [role, distance])).toEqual(
      Array(3).fill(['search', null]),
    );
    const some = [tasks[0], ...suite.tasks.slice(1)];
    await writeFiles(dir, { 'suite.json': JSON.stringify({ ...suite, tasks: some }) });
    await expect(loadSuite(dir)).rejects.toThrow(/tasks\[0\]: no "role"/);
  });

  it('lets jobs be compared on search tasks alone, whatever a task says', async () => {
    const files = tinySuite();
    const prune = { metric: 'loss', direction: 'min' };
    for (const path of Object.keys(files).filter((name) => name.endsWith('task.json')))
      files[path] = JSON.stringify({ ...JSON.parse(files[path]!), prune });
    await writeFiles(dir, files);
    expect((await loadSuite(dir)).tasks.map((task) => task.prune)).toEqual([prune, null, null]);
  });

  it('reads what a task for Python begins with and needs', async () => {
    const files = tinySuite();
    files['suite.json'] = JSON.stringify({ ...JSON.parse(files['suite.json']!), setup: 'make ready' });
    const more = { runtime: 'python', modules: ['torch'], train: ['python', 't.py'], editable: ['t.py'] };
    files[`${TASK}/task.json`] = JSON.stringify({ ...JSON.parse(files[`${TASK}/task.json`]!), ...more });
    files[`${TASK}/prepared/start/t.py`] = 'pass\n';
    await writeFiles(dir, files);
    const suite = await loadSuite(dir);
    expect(suite.setup).toBe('make ready');
    expect(suite.tasks[0]).toMatchObject({ ...more, startDir: join(dir, TASK, 'prepared/start') });
    expect(suite.tasks[1]).toMatchObject({ runtime: 'node', modules: [], editable: null, startDir: null });
  });

  it.each(['data/x.csv', 'attempts/1/t.py', 'submission.csv', '.hidden'])(
    'refuses to begin with %s',
    async (name) => {
      await writeFiles(dir, { ...tinySuite(), [`${TASK}/prepared/start/${name}`]: 'x' });
      await expect(loadSuite(dir)).rejects.toThrow(/no name for a file that a trial begins with/);
    },
  );

  it('accepts task folders directly in the suite', async () => {
    await writeFiles(dir, tinySuite());
    const { hash } = await loadSuite(dir);
    await rename(join(dir, TASK), join(dir, 'tiny-search'));
    expect((await loadSuite(dir)).hash).toBe(hash);
  });

  it('has another hash for any change, and the same in another place', async () => {
    await writeFiles(join(dir, 'a'), tinySuite());
    await writeFiles(join(dir, 'b'), tinySuite());
    const a = await loadSuite(join(dir, 'a'));
    expect((await loadSuite(join(dir, 'b'))).hash).toBe(a.hash);
    await writeFiles(join(dir, 'b'), {
      [`${TASK}/leaderboard.csv`]: 'score\n1\n2\n',
      'tasks/tiny-sealed/prepared/public/train.csv': 'id,x,y\n1,2,3\n',
    });
    const b = await loadSuite(join(dir, 'b'));
    expect(b.hash).not.toBe(a.hash);
    expect(b.tasks[0]!.publicHash).toBe(a.tasks[0]!.publicHash);
    expect(b.tasks[2]!.publicHash).not.toBe(a.tasks[2]!.publicHash);
  });

  it('calls a sealed family that no search task has far', async () => {
    const suite = await withChange('tasks/tiny-sealed/task.json', (text) =>
      text.replace('tabular-regression', 'audio'),
    );
    expect(suite).toMatchObject({ tasks: [{}, {}, { distance: 'far' }] });
  });

  it('takes near or far from task.json where it says', async () => {
    const suite = await withChange('tasks/tiny-sealed/task.json', (text) =>
      text.replace('{', '{"distance":"far",'),
    );
    expect(suite).toMatchObject({ tasks: [{}, {}, { family: 'tabular-regression', distance: 'far' }] });
  });

  it('refuses a folder that is missing or empty, and a file', async () => {
    await expect(loadSuite(join(dir, 'none'))).rejects.toThrow('none: no such folder');
    await expect(loadSuite(dir)).rejects.toThrow('the folder is empty');
    await writeFiles(dir, { 'x.txt': '' });
    await expect(loadSuite(dir)).rejects.toThrow('no suite.json');
    await expect(loadSuite(join(dir, 'x.txt'))).rejects.toThrow('not a folder');
  });

  const change = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);
  it.each([
    ['suite.json', () => '{', 'suite.json: '],
    ['suite.json', () => '[]', 'must be an object'],
    ['suite.json', () => '{"name":"x","tasks":[]}', 'at least one task'],
    ['suite.json', change('"search"', '"serach"'), 'unknown role "serach" (did you mean "search"?)'],
    ['suite.json', change('tiny-search', '../../etc'), 'tasks[0]: id "../../etc"'],
    ['suite.json', change('tiny-search', 'tiny-other'), 'tiny-other: no such folder'],
    ['suite.json', change('tiny-validation', 'tiny-search'), 'stands twice'],
    [`${TASK}/task.json`, () => null, 'task.json: no task.json'],
    [`${TASK}/task.json`, () => '{"family":', 'task.json: '],
    [`${TASK}/task.json`, change('"rmse"', '"rmsee"'), 'unknown metric "rmsee" (did you mean "rmse"?)'],
    [`${TASK}/task.json`, change('"rmse"', '"accuracy"'), 'accuracy is better when higher'],
    [`${TASK}/task.json`, change('"y"', '"z"'), 'no column "z"'],
    [`${TASK}/task.json`, change('"idColumn":"id"', '"idColumn":"key"'), 'no column "key"'],
    [`${TASK}/task.json`, change('"idColumn":"id",', ''), '"idColumn"'],
    [`${TASK}/task.json`, change('"turns":18', '"turns":0'), '"limits.turns"'],
    [
      `${TASK}/task.json`,
      change('"turns":18', '"turns":18,"gpu":1'),
      '"limits.gpu" is unknown (did you mean "gpus"?)',
    ],
    [
      `${TASK}/task.json`,
      change('"turns":18', '"turns":18,"processes":4'),
      '"limits.processes" must be a whole number of at least 32',
    ],
    [
      `${TASK}/task.json`,
      change('"idColumn"', '"editable":["../../../x"],"idColumn"'),
      '"editable": ../../../x is no path',
    ],
    [`${TASK}/prepared/private/answers.csv`, () => null, 'answers.csv: no answers'],
    [`${TASK}/prepared/private/answers.csv`, change('y', 'label'), 'answers.csv: no column "y"'],
    [`${TASK}/prepared/private/answers.csv`, change('t0', 't9'), 'id "t9" is not in'],
    [`${TASK}/prepared/private/answers.csv`, change('t0', 't1'), 'id "t1" stands twice'],
    [`${TASK}/prepared/private/answers.csv`, change(/t4.*\n/, ''), 'id "t4" of'],
    [`${TASK}/prepared/private/answers.csv`, change('1.5', 'many'), '"many" is not a number'],
    [`${TASK}/prepared/public/sample_submission.csv`, () => null, 'no sample submission'],
    [
      `${TASK}/prepared/public/sample_submission.csv`,
      change('y', 'Y'),
      'sample_submission.csv: no column "y"',
    ],
    [
      `${TASK}/prepared/public/sample_submission.csv`,
      () => 'id,y,z\n1,2,3\n',
      'column "z" is not in task.json',
    ],
    [`${TASK}/prepared/public/test.csv`, change('x', 'y'), 'holds the target column "y"'],
    [`${TASK}/prepared/public/description.md`, () => null, 'no description'],
    [`${TASK}/leaderboard.csv`, () => null, 'no leaderboard'],
    [`${TASK}/leaderboard.csv`, () => 'score\n1\n', '1 rows'],
    [`${TASK}/leaderboard.csv`, () => 'score\n2\n1\n', 'the best row does not stand first'],
  ] as [string, (text: string) => string | null, string][])(
    'refuses %s changed by %s',
    async (path, edit, message) => {
      const error = await withChange(path, edit).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toContain(message);
      expect((error as UserError).message).toContain(dir);
      expect((error as UserError).message).not.toContain('\n');
      expect((error as UserError).hint).not.toBe('');
    },
  );

  it('refuses symbolic links, to files and to task folders', async () => {
    await writeFiles(dir, tinySuite());
    await symlink('/etc/hostname', join(dir, TASK, 'prepared/public/more.csv'));
    await expect(loadSuite(dir)).rejects.toThrow('more.csv: a symbolic link');
    await rm(join(dir, TASK, 'prepared/public/more.csv'));
    await mkdir(join(dir, 'away'));
    await rename(join(dir, TASK), join(dir, 'away/task'));
    await symlink(join(dir, 'away/task'), join(dir, TASK));
    await expect(loadSuite(dir)).rejects.toThrow('tiny-search: a symbolic link');
  });
});
