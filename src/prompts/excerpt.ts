import type { Trajectory, TrajectoryStep } from '../agent/trajectory.ts';

/** Characters of one argument or observation, and of a whole excerpt. */
const PART = 280;
const WHOLE = 3600;

/**
 * What the agent did, as text for a critic or a mutator: a line a call, the results below, long ones cut in the
 * middle. The task's own words (system and first user message) are left out; the end is kept longest, as that is
 * where it went well or wrong. At most `limit` characters.
 */
export function excerpt(trajectory: Trajectory, limit = WHOLE): string {
  const opening = trajectory.steps.findIndex((step) => step.source === 'agent');
  const lines = trajectory.steps.slice(Math.max(0, opening)).flatMap(describe);
  const text = lines.join('\n');
  if (text.length <= limit) return text;
  const head = Math.floor(limit / 4);
  return `${text.slice(0, head)}\n[…]\n${text.slice(text.length - (limit - head - 5))}`;
}

function describe(step: TrajectoryStep): string[] {
  const said = step.message.trim() === '' ? [] : [`${step.source}: ${shorten(step.message)}`];
  const calls = (step.tool_calls ?? []).map((call) => {
    const values = Object.entries(call.arguments).map(([name, value]) => `${name}=${shorten(asText(value))}`);
    return `call ${call.function_name}(${values.join(', ')})`;
  });
  const results = (step.observation?.results ?? []).map((result) => `result: ${shorten(result.content)}`);
  return [...said, ...calls, ...results];
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function shorten(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length <= PART) return trimmed;
  return `${trimmed.slice(0, PART / 2)} […] ${trimmed.slice(trimmed.length - PART / 2)}`;
}
