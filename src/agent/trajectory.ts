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
  tool_calls?: { tool_call_id: string; function_name: string; arguments: Record<string, unknown> }[];
  observation?: { results: { source_call_id: string; content: string }[] };
  metrics?: { prompt_tokens: number; completion_tokens: number; cached_tokens: number; cost_usd: number };
};
