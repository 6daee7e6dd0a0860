import { describe, expect, test } from 'vitest';
import type { JobOutcome } from '../../../src/jobs/job.ts';
import { isTimed } from '../../../src/jobs/process/limits.ts';
import { inTheLightOf, needsState, withoutResult } from '../../../src/jobs/slurm/conclude.ts';
import { hasBegun, isAlive, meaningOf, stuckBecause } from '../../../src/jobs/slurm/states.ts';
import { specOf } from './spec.ts';

describe('a state of Slurm', () => {
  const alive = {
    waiting: 'PENDING CONFIGURING REQUEUED REQUEUE_FED POWER_UP_NODE',
    held: 'REQUEUE_HOLD SPECIAL_EXIT RESV_DEL_HOLD',
    running: 'RUNNING RESIZING SIGNALING UPDATE_DB',
    paused: 'SUSPENDED STOPPED',
    ending: 'COMPLETING STAGE_OUT',
  };
  const gone = {
    over: 'COMPLETED FAILED',
    timeout: 'TIMEOUT',
    'out-of-memory': 'OUT_OF_MEMORY',
    taken: 'CANCELLED NODE_FAIL PREEMPTED BOOT_FAIL DEADLINE REVOKED LAUNCH_FAILED RECONFIG_FAIL',
  };
  test.each(Object.entries({ ...alive, ...gone }))('means %s: %s', (meaning, states) => {
    for (const state of states.split(' ')) {
      expect([state, meaningOf(state)]).toEqual([state, meaning]);
      expect([state, isAlive(state)]).toEqual([state, meaning in alive]);
      expect([state, hasBegun(state)]).toEqual([state, ['running', 'paused', 'ending'].includes(meaning)]);
    }
  });

  test('is read as sacct writes it, too', () => {
    expect(meaningOf('CANCELLED by 1000')).toBe('taken');
    expect(meaningOf('CANCELLED+')).toBe('taken');
  });

  test('that nobody knows is no end: a later Slurm may have it', () => {
    expect(meaningOf('TELEPORTING')).toBeNull();
    expect(isAlive('TELEPORTING')).toBe(true);
  });
});

describe('a job that waits', () => {
  test.each([
    'Priority',
    'Resources',
    'None',
    '',
    'BeginTime',
    'Dependency',
    'AssocMaxJobsLimit',
    'AssocGrpGRES',
    'QOSMaxJobsPerUserLimit',
    'QOSGrpCpuLimit',
    'JobArrayTaskLimit',
    'ReqNodeNotAvail, UnavailableNodes:n1',
    'NodeDown',
    'Licenses',
  ])('for %s has only to wait', (reason) => {
    expect(stuckBecause('PENDING', reason)).toBeNull();
  });

  test.each([
    'PartitionTimeLimit',
    'PartitionDown',
    'PartitionInactive',
    'DependencyNeverSatisfied',
    'BadConstraints',
    'JobHeldUser',
    'JobHeldAdmin',
    'JobHoldMaxRequeue',
    'AccountNotAllowed',
    'InvalidAccount',
    'InvalidQOS',
    'QOSNotAllowed',
    'AssocMaxCpuPerJobLimit',
    'QOSMaxGRESPerJob',
    'QOSMaxWallDurationPerJobLimit',
    'AssocMaxWallDurationPerJobLimit',
  ])('for %s waits in vain', (reason) => {
    expect(stuckBecause('PENDING', reason)).toContain(reason);
  });

  test('is stuck when it is held', () => {
    expect(stuckBecause('REQUEUE_HOLD', '')).toContain('held');
  });
});

describe('a job that left no result', () => {
  const cpu = specOf({});
  const timed = specOf({ clock: 'wall' });
  const gpu = specOf({ gpus: 0.5 });
  const end = (spec: typeof cpu, state: string | null) =>
    withoutResult(spec, { state, log: 'so far', ms: 5, said: 'node: not found' }).outcome;

  test('was out of time where its budget is time, and lost where it is not', () => {
    expect([cpu, timed, gpu].map(isTimed)).toEqual([false, true, true]);
    expect(end(timed, 'TIMEOUT')).toEqual({ kind: 'timeout', log: 'so far', ms: 5 });
    expect(end(gpu, 'TIMEOUT').kind).toBe('timeout');
    expect(end(cpu, 'TIMEOUT')).toMatchObject({ kind: 'lost', reason: 'Slurm ended it (TIMEOUT)' });
  });

  test('ended for want of memory, by the cluster, or for nothing that anybody knows', () => {
    expect(end(cpu, 'OUT_OF_MEMORY').kind).toBe('out-of-memory');
    for (const state of ['CANCELLED', 'NODE_FAIL', 'PREEMPTED', 'BOOT_FAIL', 'DEADLINE']) {
      expect(end(timed, state)).toMatchObject({ kind: 'lost', reason: `Slurm ended it (${state})` });
    }
    expect(end(cpu, null)).toMatchObject({ kind: 'lost', reason: 'unknown to Slurm, and it left no result' });
    expect(end(cpu, 'FAILED')).toMatchObject({
      kind: 'lost',
      reason: 'it left no result (FAILED): node: not found',
    });
  });
});

describe('a result that a kill may have brought about', () => {
  const result = (outcome: Partial<JobOutcome>) => ({
    outcome: { log: 'x', ms: 1, ...outcome } as JobOutcome,
    files: [],
  });
  const spec = specOf({ clock: 'wall' });
  const killed = result({ kind: 'failed', exitCode: 137 });
  const lost = result({ kind: 'lost', reason: 'killed from outside' });
  const plain = [result({ kind: 'failed', exitCode: 1 }), result({ kind: 'done', outputs: [] })];

  test('waits for the word of Slurm, and is what Slurm did where it did something', () => {
    for (const it of [killed, lost]) {
      expect(needsState(it)).toBe(true);
      const end = (state: string | null) => inTheLightOf(spec, state, it);
      expect(end('OUT_OF_MEMORY').outcome).toEqual({ kind: 'out-of-memory', log: 'x', ms: 1 });
      expect(end('TIMEOUT').outcome).toEqual({ kind: 'timeout', log: 'x', ms: 1 });
      expect(end('CANCELLED').outcome).toMatchObject({ kind: 'lost', reason: 'Slurm ended it (CANCELLED)' });
      expect(end('COMPLETED')).toBe(it);
      expect(end(null)).toBe(it);
    }
  });

  test('no other does', () => {
    for (const it of plain) {
      expect(needsState(it)).toBe(false);
      expect(inTheLightOf(spec, 'OUT_OF_MEMORY', it)).toBe(it);
    }
  });
});
