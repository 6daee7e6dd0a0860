import type { ChatReply, Message, ToolCall } from '../llm/llm.ts';
import { spoken, thinkingOf } from '../llm/thinking.ts';

/** A trajectory in the Agent Trajectory Interchange Format (ATIF v1.4, the format Harbor uses). */
export type Trajectory = {
  schema_version: 'ATIF-v1.4';
  session_id: string;
  agent: { name: string; version: string; model_name: string };
  steps: TrajectoryStep[];
  final_metrics: {
    total_prompt_tokens: number;
    total_completion_tokens: number;
    total_cached_tokens: number;
    total_cost_usd: number;
    total_steps: number;
  };
  notes?: string;
  extra?: Record<string, unknown>;
};

export type TrajectoryStep = {
  step_id: number;
  /** Logical time (a turn is a second after the epoch): the real time would make trials differ. */
  timestamp: string;
  source: 'system' | 'user' | 'agent';
  message: string;
  /** The model's thinking, where the endpoint shows it. */
  reasoning_content?: string;
  tool_calls?: { tool_call_id: string; function_name: string; arguments: Record<string, unknown> }[];
  observation?: { results: { source_call_id: string; content: string }[] };
  metrics?: { prompt_tokens: number; completion_tokens: number; cached_tokens: number; cost_usd: number };
};

/** Collects the steps of a trial as they happen. */
export type Recorder = {
  /** What the harness says at the start of an attempt. */
  open(messages: readonly Message[]): void;
  reply(reply: ChatReply): void;
  /** What the calls of the last reply gave. */
  observe(calls: readonly ToolCall[], results: readonly string[]): void;
  usage(): { tokensIn: number; tokensOut: number; usd: number };
  trajectory(): Trajectory;
};

/**
 * `sessionId` names the trial by what it depends on, never by a clock. `sampling` is what the endpoint was really told,
 * where that is not what the genome says; it stands in `extra`.
 */
export function recordTrajectory(model: string, sessionId: string, sampling?: object): Recorder {
  const steps: TrajectoryStep[] = [];
  let tokensIn = 0;
  let tokensOut = 0;
  let tokensCached = 0;
  let nanoDollars = 0;

  function add(step: Omit<TrajectoryStep, 'step_id' | 'timestamp'>): void {
    const step_id = steps.length + 1;
    steps.push({ step_id, timestamp: new Date(step_id * 1000).toISOString(), ...step });
  }

  return {
    open(messages) {
      for (const message of messages) {
        if (message.role === 'system' || message.role === 'user') {
          add({ source: message.role, message: message.content });
        }
      }
    },
    reply(reply) {
      tokensIn += reply.tokensIn;
      tokensOut += reply.tokensOut;
      tokensCached += reply.tokensCached ?? 0;
      nanoDollars += Math.round((reply.usd ?? 0) * 1e9);
      const thinking = thinkingOf(reply.message);
      const calls = reply.message.tool_calls?.map((call) => ({
        tool_call_id: call.id,
        function_name: call.function.name,
        arguments: argumentsOf(call),
      }));
      add({
        source: 'agent',
        message: spoken(reply.message),
        ...(thinking === '' ? {} : { reasoning_content: thinking }),
        ...(calls ? { tool_calls: calls } : {}),
        metrics: {
          prompt_tokens: reply.tokensIn,
          completion_tokens: reply.tokensOut,
          cached_tokens: reply.tokensCached ?? 0,
          cost_usd: reply.usd ?? 0,
        },
      });
    },
    observe(calls, results) {
      const last = steps.findLast((step) => step.source === 'agent');
      if (!last) return;
      if (calls.length === 0) return add({ source: 'user', message: results.join('\n') });
      last.observation = {
        results: calls.map((call, i) => ({ source_call_id: call.id, content: results[i] ?? '' })),
      };
    },
    usage: () => ({ tokensIn, tokensOut, usd: nanoDollars / 1e9 }),
    trajectory: () => ({
      schema_version: 'ATIF-v1.4',
      session_id: sessionId,
      agent: { name: 'evolve', version: '0.1.0', model_name: model },
      steps,
      final_metrics: {
        total_prompt_tokens: tokensIn,
        total_completion_tokens: tokensOut,
        total_cached_tokens: tokensCached,
        total_cost_usd: nanoDollars / 1e9,
        total_steps: steps.length,
      },
      ...(sampling ? { extra: { sampling } } : {}),
    }),
  };
}

function argumentsOf(call: ToolCall): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(call.function.arguments);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return { unparsed: call.function.arguments };
  }
}
