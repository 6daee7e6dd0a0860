import { describe, expect, test } from 'vitest';
import type { Answer, Slurm } from '../../../src/jobs/slurm/programs.ts';
import { askArraySize, askHistory, askQueue } from '../../../src/jobs/slurm/queue.ts';

const HEADING = 'ARRAY_JOB_ID|ARRAY_TASK_ID|STATE|NODELIST|REASON|NAME';
const ok = (text: string): Answer => ({ kind: 'ok', text });
const answering =
  (answer: Answer): Slurm =>
  async () =>
    answer;

describe('the queue', () => {
  test('is read by task; of others nothing is taken', async () => {
    const lines = [
      HEADING,
      '12|0|RUNNING|n7|None|evolve-me-aa',
      '12|1|PENDING||JobHeldUser|evolve-me-aa',
      '13|N/A|RUNNING|n7|None|evolve-me-bb',
      '14|0|RUNNING|n7|None|evolve-you-aa',
      '15|0|RUNNING|n7|None|my evolve-me-aa',
      '16|0|RUNNING|n7|None|odd|name',
      '',
    ];
    expect(await askQueue(answering(ok(lines.join('\n'))), 'evolve-me-')).toEqual([
      { id: '12', index: 0, state: 'RUNNING', node: 'n7', reason: 'None', name: 'evolve-me-aa' },
      { id: '12', index: 1, state: 'PENDING', node: '', reason: 'JobHeldUser', name: 'evolve-me-aa' },
    ]);
  });

  test('is empty only when Slurm says so: an answer without its heading is none', async () => {
    expect(await askQueue(answering(ok(`${HEADING}\n`)), 'evolve-')).toEqual([]);
    for (const text of ['', 'Segmentation fault', '12|0|RUNNING|n7|None|evolve-me-aa\n']) {
      expect(await askQueue(answering(ok(text)), 'evolve-')).toEqual({ said: expect.any(String) });
    }
    expect(await askQueue(answering({ kind: 'away', said: 'gone' }), 'evolve-')).toEqual({ said: 'gone' });
  });
});

describe('the history', () => {
  const world = (sacct: Answer, jobs: Record<string, string>) => {
    const asked: string[] = [];
    const slurm: Slurm = async (program, args) => {
      asked.push(program);
      if (program === 'sacct') return sacct;
      const text = jobs[args.at(-1) as string];
      return text === undefined ? { kind: 'refused', said: 'Invalid job id specified' } : ok(text);
    };
    return { ask: askHistory(slurm), asked };
  };
  const shown =
    'JobId=12 ArrayJobId=12 ArrayTaskId=0 JobName=x UserId=root(0) JobState=NODE_FAIL Reason=None\n';

  test('comes from accounts where there are some', async () => {
    const { ask, asked } = world(ok('12_0|COMPLETED\n12_1|CANCELLED by 1000\n12_[2-3]|PENDING\n'), {});
    expect(await ask(['12_0', '12_1'])).toEqual(
      new Map([
        ['12_0', 'COMPLETED'],
        ['12_1', 'CANCELLED'],
      ]),
    );
    expect(asked).toEqual(['sacct']);
  });

  test('comes from the controller where there are none, which is found out once', async () => {
    const disabled: Answer = { kind: 'refused', said: 'sacct: Slurm accounting storage is disabled' };
    const { ask, asked } = world(disabled, { 12: shown });
    expect(await ask(['12_0', '13_0'])).toEqual(new Map([['12_0', 'NODE_FAIL']]));
    await ask(['12_0']);
    expect(asked).toEqual(['sacct', 'scontrol', 'scontrol', 'scontrol']);
  });

  test('does not believe accounts that a job still runs', async () => {
    expect(await world(ok('12_0|RUNNING\n'), {}).ask(['12_0'])).toEqual(new Map());
    expect(await world(ok('12_0|RUNNING\n'), { 12: shown }).ask(['12_0'])).toEqual(
      new Map([['12_0', 'NODE_FAIL']]),
    );
  });

  test('accounts that are away for once are asked again', async () => {
    const { ask, asked } = world({ kind: 'away', said: 'timed out' }, {});
    await ask(['12_0']);
    await ask(['12_0']);
    expect(asked.filter((program) => program === 'sacct')).toHaveLength(2);
  });
});

test('arrays are as large as Slurm lets them be', async () => {
  expect(await askArraySize(answering(ok('MaxArraySize            = 17\n')))).toBe(17);
  expect(await askArraySize(answering({ kind: 'away', said: '' }))).toBe(1001);
});
