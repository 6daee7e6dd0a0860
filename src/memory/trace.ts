import type { Trajectory, TrajectoryStep } from '../agent/trajectory.ts';

/**
 * Bounds for one argument and for one result, in characters, from generous to narrow: the first pair with which the
 * trace fits is taken. What the agent wrote gives way before what came back, as errors say more than code.
 */
const BOUNDS: readonly (readonly [number, number])[] = [
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  [3000, Number.POSITIVE_INFINITY],
  [1500, 4000],
  [800, 2000],
  [400, 1000],
  [250, 500],
];

/**
 * A trial as raw text: turn by turn what the agent said, every call with its arguments, and what came back, whole where
 * it fits into `limit` characters. What the harness said at the start is cut at `opening` characters a message; 0
 * leaves it out. A trace that does not fit even with short parts is cut in its middle.
 */
export function wholeTrace(trajectory: Trajectory, limit: number, opening = 0): string {
  let text = '';
  for (const [args, results] of BOUNDS) {
    text = render(trajectory, opening, args, results);
    if (text.length <= limit) return text;
  }
  return cutMiddle(text, limit, 1 / 3);
}

/** Cuts a text in its middle to at most `limit` characters, and says how much is gone; `head` is the share kept before. */
export function cutMiddle(text: string, limit: number, head = 1 / 2): string {
  if (text.length <= limit) return text;
  const mark = `\n[… ${text.length - limit} characters …]\n`;
  const kept = limit - mark.length;
  if (kept <= 0) return text.slice(0, Math.max(0, limit));
  const first = Math.floor(kept * head);
  return `${text.slice(0, first)}${mark}${text.slice(text.length - (kept - first))}`;
}

function render(trajectory: Trajectory, opening: number, args: number, results: number): string {
  const start = trajectory.steps.findIndex((step) => step.source === 'agent');
  const first = start < 0 ? trajectory.steps.length : start;
  return [
    ...(opening === 0 ? [] : trajectory.steps.slice(0, first).map((step) => said(step, opening))),
    ...trajectory.steps.slice(first).map((step) => describe(step, args, results)),
  ].join('\n');
}

function describe(step: TrajectoryStep, args: number, results: number): string {
  const calls = (step.tool_calls ?? []).map((call) => {
    const values = Object.entries(call.arguments).map(
      ([name, value]) => `  ${name}: ${cutMiddle(asText(value), args)}`,
    );
    return [`→ ${call.function_name}`, ...values].join('\n');
  });
  const answers = (step.observation?.results ?? []).map(
    ({ content }) => `← ${cutMiddle(content.trim(), results)}`,
  );
  return [said(step, results), ...calls, ...answers].join('\n');
}

function said(step: TrajectoryStep, limit: number): string {
  const message = step.message.trim();
  return `[${step.step_id}] ${step.source}${message === '' ? '' : `: ${cutMiddle(message, limit)}`}`;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
