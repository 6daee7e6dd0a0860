import { expect, it } from 'vitest';
import { ownFigure } from '../../src/agent/own-figure.ts';
import type { Trajectory, TrajectoryStep } from '../../src/agent/trajectory.ts';

function opens(attempt: number): Partial<TrajectoryStep> {
  return { source: 'user', message: `# Task\nPredict.\n\n## Your folder (attempt ${attempt})\n(empty)` };
}

function calls(name: string, content: string, args: Record<string, unknown> = {}): Partial<TrajectoryStep> {
  return {
    source: 'agent',
    message: '',
    tool_calls: [{ tool_call_id: 'c', function_name: name, arguments: args }],
    observation: { results: [{ source_call_id: 'c', content }] },
  };
}

function figure(...steps: Partial<TrajectoryStep>[]): number | null {
  return ownFigure({ steps } as unknown as Trajectory);
}

const trained = (value: string) =>
  calls('train', `validation rmsle: ${value}\nsubmission.csv is valid\n[turn 3 of 18]`);

it('takes the figure of the last valid training', () => {
  expect(figure(opens(1), trained('0.7'), opens(2), trained('-1.5e-2'))).toBe(-0.015);
  expect(figure(opens(1), trained('0.7'), calls('train', 'validation rmsle: 0.1\nerror: bad rows'))).toBe(
    0.7,
  );
});

it('takes that of the attempt that was submitted, when it was taken', () => {
  const two = [opens(1), trained('0.5'), opens(2), trained('0.9')];
  expect(figure(...two, calls('submit', 'submitted', { attempt: 1 }))).toBe(0.5);
  expect(figure(...two, calls('submit', 'not yet: look at this first', { attempt: 1 }))).toBe(0.9);
  expect(figure(...two, calls('submit', 'submitted', { attempt: 7 }))).toBe(0.9);
});

it('knows none where nothing was trained, or no number was printed', () => {
  expect(figure(opens(1), calls('run', 'validation rmsle: 0.1\nsubmission.csv is valid'))).toBeNull();
  expect(figure(opens(1), calls('train', 'done\nsubmission.csv is valid'))).toBeNull();
  expect(figure(opens(1), calls('train', 'validation rmsle: NaN\nsubmission.csv is valid'))).toBeNull();
});
