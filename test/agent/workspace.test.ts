import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openWorkspace, ToolError, type Workspace } from '../../src/agent/workspace.ts';

let root: string;
let workspace: Workspace;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'evolve-workspace-'));
  mkdirSync(join(root, 'public'));
  writeFileSync(join(root, 'public', 'train.csv'), 'id,x\n1,2\n');
  writeFileSync(join(root, 'secret.txt'), 'the answers');
  workspace = open();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function open(editable: string[] | null = null, startDir: string | null = null): Workspace {
  const folders = { work: join(root, 'work'), data: join(root, 'public'), attempts: join(root, 'attempts') };
  return openWorkspace(folders, { startDir, editable });
}

test('reads data, writes and lists its own files', () => {
  expect(workspace.read('data/train.csv')).toBe('id,x\n1,2\n');
  workspace.write('lib/a.mjs', 'x');
  workspace.write('main.mjs', 'y');
  expect(workspace.list()).toEqual(['lib/a.mjs', 'main.mjs']);
  expect(readFileSync(join(root, 'work', 'main.mjs'), 'utf8')).toBe('y');
});

test.each(['../secret.txt', 'a/../../secret.txt', 'data/../../secret.txt', '', 'a//b', 'a\0b'])(
  'refuses the path %j',
  (path) => {
    expect(() => workspace.read(path)).toThrow(ToolError);
    expect(() => workspace.write(path, 'x')).toThrow(ToolError);
  },
);

test('an absolute path means the folder itself', () => {
  expect(() => workspace.read(join(root, 'secret.txt'))).toThrow(/no file/);
});

test('refuses what a symbolic link leads out to', () => {
  symlinkSync(join(root, 'secret.txt'), join(root, 'work', 'link'));
  symlinkSync(root, join(root, 'work', 'up'));
  symlinkSync(join(root, 'nowhere.txt'), join(root, 'work', 'dangling'));
  expect(() => workspace.read('link')).toThrow(ToolError);
  expect(() => workspace.read('up/secret.txt')).toThrow(ToolError);
  expect(() => workspace.write('up/new.txt', 'x')).toThrow(ToolError);
  expect(() => workspace.write('link', 'x')).toThrow(ToolError);
  expect(() => workspace.write('dangling', 'x')).toThrow(ToolError);
  expect(readFileSync(join(root, 'secret.txt'), 'utf8')).toBe('the answers');
  expect(workspace.list()).toEqual([]);
});

test('data and attempts are read-only', () => {
  expect(() => workspace.write('data/train.csv', 'x')).toThrow(/read-only/);
  expect(() => workspace.write('attempts/1/main.mjs', 'x')).toThrow(/read-only/);
});

test('the first line of a file of any size is shown, and no more than 160 characters', () => {
  writeFileSync(join(root, 'work', 'big.csv'), `id,y\n${'x'.repeat(3_000_000)}`);
  expect(() => workspace.read('big.csv')).toThrow(/larger/);
  expect(workspace.firstLine('big.csv')).toBe('id,y');
  workspace.write('long.txt', 'é'.repeat(500));
  expect(workspace.firstLine('long.txt')).toBe('é'.repeat(160));
});

test('a path that the file system refuses is told to the model, and ends nothing', () => {
  workspace.write('main.mjs', 'x');
  for (const path of ['main.mjs/x', 'a'.repeat(300), `deep/${'b'.repeat(300)}/c`]) {
    expect(() => workspace.write(path, 'y')).toThrow(ToolError);
    expect(() => workspace.read(path)).toThrow(ToolError);
  }
});

test('begins with the start files, and only those named may be written', () => {
  mkdirSync(join(root, 'start', 'lib'), { recursive: true });
  for (const name of ['train.py', 'prepare.py', 'lib/a.py']) writeFileSync(join(root, 'start', name), name);
  const limited = open(['train.py'], join(root, 'start'));
  expect(limited.list()).toEqual(['lib/a.py', 'prepare.py', 'train.py']);
  for (const path of ['prepare.py', './prepare.py', 'lib/a.py', 'train.py.txt', 'new.py']) {
    expect(() => limited.write(path, 'x')).toThrow(/not yours to change; only train\.py/);
  }
  limited.write('./train.py', 'mine');
  expect(limited.read('train.py')).toBe('mine');
  expect(limited.read('prepare.py')).toBe('prepare.py');
  expect(readFileSync(join(root, 'start', 'train.py'), 'utf8')).toBe('train.py');
});
