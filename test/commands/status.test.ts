import { expect, test } from 'vitest';
import { type JobStatus, type Status, statusText } from '../../src/commands/status.ts';

const none = { jobs: 0, hits: 0, failed: 0, pruned: 0, lost: 0, cpuMs: 0, gpuMs: 0 };

function job(n: number, more: Partial<JobStatus> = {}): JobStatus {
  const id = String(n).padStart(12, '0');
  return {
    ...{
      identity: `${id}aaaaaaaaaaaa`,
      trial: `${id}bbbb`,
      job: 2,
      task: 'a-task-with-a-very-long-name-of-its-own',
    },
    ...{
      candidate: id,
      lineage: 'cautious',
      command: 'python train.py',
      gpus: 1,
      slot: null,
      startedAt: null,
    },
    ...{ askedAt: '2026-01-01T00:00:00.000Z', forMs: 7_500_000, ...more },
  };
}

const running: Status = {
  ...{ run: 'runs/x', state: 'running', process: { pid: 7, host: 'node7' }, stop: null },
  ...{ generation: 3, generations: 50, stage: { name: 'first', trials: 48, tried: 12 } },
  slots: { busy: 2, slots: 8 },
  jobs: [
    job(1, {
      slot: 'GPU-5a3f2c1e-aaaa-bbbb-cccc-0123456789ab,GPU-6',
      gpus: 2,
      startedAt: '2026-01-01T00:00:00.000Z',
    }),
    ...Array.from({ length: 25 }, (_, i) => job(i + 2)),
  ],
  used: {
    all: { ...none, jobs: 9, pruned: 2, cpuMs: 7_200_000, gpuMs: 36_000_000 },
    lineages: [
      { lineage: 'baseline', ...none, jobs: 4, cpuMs: 3_600_000, gpuMs: 0 },
      { lineage: 'cautious', ...none, jobs: 5, pruned: 2, cpuMs: 3_600_000, gpuMs: 36_000_000 },
    ],
  },
};

test('a run on GPUs: who has which, who waits, and hours by lineage, the largest first; in 110 columns', () => {
  const text = statusText(running);
  expect(text).toContain(
    'runs/x: running (process 7 on node7), 3 of 50 generations done; first search tasks: 12 of 48 trials',
  );
  expect(text).toContain('2 of 8 slots busy; 1 job running, 25 waiting');
  expect(text).toMatch(/^ {2}00000000 .*cautious +GPU-5a3f.* 2 +2 h 5 min$/m);
  expect(text).toContain('and 5 more');
  expect(text).toMatch(
    /CPU time +GPU time .*\n +cautious +1 h 0 min +10 h 0 min .*\n +baseline .*\n +all +2 h 0 min/,
  );
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
});

test('a run that nobody works on says why, and how to go on', () => {
  const still: Status = {
    ...running,
    state: 'stopped',
    process: null,
    stop: 'max-time',
    stage: null,
    slots: null,
    jobs: [],
  };
  expect(statusText(still)).toMatch(
    /^runs\/x: stopped: max-time, 3 of 50 generations done; evolve resume goes on\n\nUsed/,
  );
  const killed: Status = { ...still, state: 'killed', stop: null, process: { pid: 7, host: 'node7' } };
  expect(statusText(killed)).toMatch(
    /^runs\/x: killed \(process 7 on node7\), 3 of 50 .* evolve resume goes on\n/,
  );
});
