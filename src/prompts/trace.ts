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

/** Characters of the system message and of each message of the user before the first turn; 0 leaves it out. */
export type Opening = { system: number; user: number };

const NO_OPENING: Opening = { system: 0, user: 0 };
/** A beginning that two messages share is repetition from this many characters on. */
const REPEATED = 200;

/** Characters of the thinking of one turn: it says why, and repeats itself. */
const THOUGHT = 1200;

/**
 * A trial as raw text: turn by turn what the agent said, every call with its arguments, and what came back, whole where
 * it fits into `limit` characters. Of what stood before the first turn it shows so many characters as `opening` says: of
 * the harness's own words, and of the task. A trace that does not fit even with short parts is cut in its middle.
 */
export function wholeTrace(trajectory: Trajectory, limit: number, opening: Opening = NO_OPENING): string {
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

function render({ steps }: Trajectory, opening: Opening, args: number, results: number): string {
  const start = steps.findIndex((step) => step.source === 'agent');
  const first = start < 0 ? steps.length : start;
  const before = steps.slice(0, first).flatMap((step) => {
    const room = step.source === 'system' ? opening.system : opening.user;
    return room === 0 ? [] : [said(step, room)];
  });
  // Every attempt opens with the task again.
  const task = steps.slice(0, first).findLast((step) => step.source === 'user')?.message ?? '';
  const turns = steps
    .slice(first)
    .map((step) => (step.source === 'user' ? { ...step, message: withoutShared(step.message, task) } : step));
  return [...before, ...turns.map((step) => describe(step, args, results))].join('\n');
}

function withoutShared(message: string, earlier: string): string {
  let shared = 0;
  while (shared < message.length && message[shared] === earlier[shared]) shared++;
  // Whole lines, so that what differs can be read.
  const from = message.lastIndexOf('\n', shared - 1) + 1;
  return from < REPEATED ? message : `[… as at the start …]\n${message.slice(from)}`;
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
  const thinking = step.reasoning_content?.trim() ?? '';
  const thought = thinking === '' ? [] : [`thinks: ${cutMiddle(thinking, Math.min(THOUGHT, args))}`];
  return [said(step, results), ...thought, ...calls, ...answers].join('\n');
}

function said(step: TrajectoryStep, limit: number): string {
  const message = step.message.trim();
  return `[${step.step_id}] ${step.source}${message === '' ? '' : `: ${cutMiddle(message, limit)}`}`;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
