import type { Trajectory, TrajectoryStep } from './trajectory.ts';

const ATTEMPT = /^## Your folder \(attempt (\d+)\)$/m;
const VALID = 'submission.csv is valid';
const FIGURE = /^validation [\w.-]+: (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*$/gim;

/**
 * The figure that the agent itself knew of the submission that it ended with: what the training that wrote it had printed
 * last as `validation <metric>: <number>`, in the metric's own units; null where there is no submission, or its training
 * printed none. It is the agent's word: measured on rows of its choice, by code of its own, so it may choose among
 * submissions of one agent, and never score one.
 */
export function ownFigure({ steps }: Trajectory): number | null {
  const figures = new Map<number, number | null>();
  let attempt = 1;
  let last: number | null = null;
  let chosen = 0;
  for (const step of steps) {
    if (step.source === 'user') attempt = Number(ATTEMPT.exec(step.message)?.[1] ?? attempt);
    for (const { call, result } of callsOf(step)) {
      if (call.function_name === 'submit') {
        const { attempt: named } = call.arguments;
        chosen = result === 'submitted' && typeof named === 'number' ? named : 0;
      }
      if (call.function_name !== 'train' || !result.includes(VALID)) continue;
      last = figureIn(result);
      figures.set(attempt, last);
    }
  }
  return figures.get(chosen) ?? last;
}

function callsOf({ tool_calls = [], observation }: TrajectoryStep) {
  return tool_calls.map((call, i) => ({ call, result: observation?.results[i]?.content ?? '' }));
}

function figureIn(result: string): number | null {
  const found = [...result.matchAll(FIGURE)].at(-1);
  const value = Number(found?.[1]);
  return found !== undefined && Number.isFinite(value) ? value : null;
}
