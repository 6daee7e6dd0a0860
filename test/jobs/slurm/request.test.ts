import { expect, test } from 'vitest';
import { fixedOptions, placeOptions, resourceOptions } from '../../../src/jobs/slurm/request.ts';
import { settingsOf, specOf } from './spec.ts';

const settings = settingsOf({ marginSeconds: 60 });
const limits = { seconds: 600, memoryMb: 1000, outputBytes: 1 };

test('a job asks for cores, memory with room for Node, and minutes until it is ended in any case', () => {
  const options = resourceOptions(specOf({ limits, cpus: 4 }), settings);
  // Ten times 600 s of CPU and 30 s, and the margin: 6090 s.
  expect(options).toEqual(['--nodes=1', '--ntasks=1', '--cpus-per-task=4', '--mem=1384M', '--time=102']);
});

test('one whose budget is time asks for that and the margin; GPUs are whole', () => {
  expect(resourceOptions(specOf({ limits, clock: 'wall' }), settings)).toContain('--time=11');
  const gpu = { ...settings, gres: 'gpu:a100' };
  expect(resourceOptions(specOf({ limits, gpus: 0.25 }), gpu)).toEqual(
    expect.arrayContaining(['--gres=gpu:a100:1', '--time=11']),
  );
  expect(resourceOptions(specOf({ limits, gpus: 3 }), gpu)).toContain('--gres=gpu:a100:3');
});

test('every option is an argument of its own, what is not set is left to the cluster, extra ones come last', () => {
  const told = { partition: 'gpu', account: 'lab a', qos: 'low', extra: ['--nice=100', '--mail-type=END'] };
  expect(placeOptions(settingsOf(told))).toEqual([
    '--partition=gpu',
    '--account=lab a',
    '--qos=low',
    '--nice=100',
    '--mail-type=END',
  ]);
  expect(placeOptions(settingsOf({}))).toEqual([]);
});

test('Slurm itself never runs a job twice, and no key goes along', () => {
  expect(fixedOptions).toEqual(['--no-requeue', '--export=PATH,EVOLVE_PYTHON']);
});
