import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { loadSuite } from '../../src/suite/load.ts';
import { refuseSharedData } from '../../src/suite/shared-data.ts';
import { tinyTask, writeFiles } from '../fixtures/tiny-suite.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shared-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** Checks a suite of two tasks, `b` with other data than `a` but for the files given. */
async function check(roles: { a?: string; b?: string }, files: Record<string, string>): Promise<void> {
  const tasks = ['a', 'b'].map((id) => ({ id, role: roles[id as 'a'] }));
  await writeFiles(dir, { 'suite.json': JSON.stringify({ name: 'two', tasks }) });
  await writeFiles(join(dir, 'a'), tinyTask());
  const test = tinyTask()['prepared/public/test.csv']!.replace('0.25', '0.26');
  await writeFiles(join(dir, 'b'), { ...tinyTask(0.5), 'prepared/public/test.csv': test, ...files });
  const suite = await loadSuite(dir);
  refuseSharedData(suite);
}

const ANSWERS = 'prepared/private/answers.csv';
const TRAIN = 'prepared/public/train.csv';
const TEST = 'prepared/public/test.csv';
const same = (...paths: string[]) => Object.fromEntries(paths.map((path) => [path, tinyTask()[path]!]));
const reversed = (text: string) => {
  const [header, ...rows] = text.trim().split('\n');
  return `${[header, ...rows.reverse()].join('\n')}\n`;
};

describe('tasks of different roles', () => {
  const roles = { a: 'search', b: 'sealed' };

  it('may look alike', async () => {
    await expect(check(roles, {})).resolves.toBeUndefined();
    await expect(check(roles, same(TEST))).resolves.toBeUndefined();
  });

  it.each([
    ['answers', same(ANSWERS)],
    ['answers', { [ANSWERS]: reversed(tinyTask()[ANSWERS]!) }],
    ['training data', same(TRAIN)],
  ])('may not have the same %s', async (what, files) => {
    const refused = check(roles, files);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(
      `the tasks "a" (search) and "b" (sealed) of the suite two have the same ${what}`,
    );
    await expect(refused).rejects.toMatchObject({ exitCode: 2 });
  });

  it('may not have the same public data, whatever the files are called', async () => {
    const renamed = ({ [TRAIN]: train, ...rest }: Record<string, string>) => ({
      ...rest,
      'prepared/public/text.txt': train!,
    });
    const suite = {
      name: 'two',
      tasks: [
        { id: 'a', role: 'search' },
        { id: 'b', role: 'validation' },
      ],
    };
    await writeFiles(dir, { 'suite.json': JSON.stringify(suite) });
    await writeFiles(join(dir, 'a'), renamed(tinyTask()));
    await writeFiles(join(dir, 'b'), { ...renamed(tinyTask()), [ANSWERS]: tinyTask(1)[ANSWERS]! });
    const loaded = await loadSuite(dir);
    expect(() => refuseSharedData(loaded)).toThrow('the same public data');
  });
});

it('tasks of one role may share data', async () => {
  await expect(check({ a: 'search', b: 'search' }, same(ANSWERS, TRAIN))).resolves.toBeUndefined();
});

it('tasks without roles may not: a fold would be blind to one and see the other', async () => {
  await expect(check({}, same(TRAIN))).rejects.toThrow(
    'the tasks "a" and "b" of the suite two have the same',
  );
});
