import { expect, test } from 'vitest';
import { SETTING, settingOf } from '../../src/agent/prompt.ts';
import { toolTable } from '../../src/agent/tools.ts';
import { openWorkspace } from '../../src/agent/workspace.ts';
import { hashJson } from '../../src/json.ts';
import { loadSuite } from '../../src/suite/load.ts';
import { plainGenome } from '../fixtures/genomes.ts';

const miniMle = await loadSuite('benchmarks/mini-mle');

test('what agents are told on mini-mle is what they have always been told', () => {
  expect(SETTING).toBe(
    'You are an agent in a small machine-learning competition. You work in one folder with Node 20 and no packages; the data stand in data/. Each turn, call one or more tools. `train` runs `node main.mjs`, which must write submission.csv. The last valid submission counts unless you submit an earlier attempt.',
  );
  for (const task of miniMle.tasks) expect(settingOf(task), task.id).toBe(SETTING);
  expect(hashJson(schemas(miniMle.tasks[0]!.train))).toBe('0be61f3f7737');
});

test('a task for Python names its packages, its program and what may be changed', () => {
  const train = ['python', 'train.py'];
  const setting = settingOf({ runtime: 'python', modules: ['torch'], train, editable: ['train.py'] });
  expect(setting).toContain('one folder with Python 3 with torch; the data');
  expect(setting).toContain('`train` runs `python train.py`, which must write submission.csv.');
  expect(setting).toContain('Of the files you may change only train.py.');
  expect(JSON.stringify(schemas(train))).toContain('Run `python train.py` as a training job');
});

function schemas(train: string[]) {
  const folders = { work: 'test/agent', data: 'test', attempts: 'test' };
  const workspace = openWorkspace(folders, { startDir: null, editable: null });
  const jobs = { train: () => Promise.reject(), run: () => Promise.reject() };
  return toolTable(plainGenome(), { train }, workspace, jobs, () => {}).map(({ schema }) => schema);
}
