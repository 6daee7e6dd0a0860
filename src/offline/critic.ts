import type { ChatRequest } from '../llm/llm.ts';
import { INSIGHTS, type Trace } from './proposals.ts';
import { type Option, sample } from './sample.ts';

/** Attention to the first insight that fits, and how it falls with each one after it. */
const ATTENTION = 2;
const FALL = 0.7;

/** Writes one lesson on the trace in the prompt: of what can be seen in it, one thing that caught its eye. */
export function criticise(request: ChatRequest): string {
  const prompt = request.messages.find((message) => message.role === 'user')?.content ?? '';
  const trace = readTrace(prompt);
  const options: (Option & { index: number })[] = INSIGHTS.flatMap((insight, index) =>
    insight.seen(trace) ? [{ says: insight.symptom, logit: ATTENTION - FALL * index, index }] : [],
  );
  if (options.length === 0) return JSON.stringify({ lessons: [] });
  const { symptom, cause, advice } = INSIGHTS[sample(options, new Map(), request).index]!;
  return JSON.stringify({ lessons: [{ symptom, cause, advice, genes: [] }] });
}

function readTrace(prompt: string): Trace {
  const start = prompt.indexOf('## What the agent did');
  const end = prompt.indexOf('\n## ', start + 5);
  const text = prompt.slice(Math.max(0, start), end < 0 ? undefined : end);
  return {
    text,
    said: [...text.matchAll(/^agent: (.*)$/gm)].map((found) => found[1]!),
    errors: [...text.matchAll(/\/work\/(\w+\.mjs)(:\d+)?$/gm)].map((found) => found[1]!),
  };
}
