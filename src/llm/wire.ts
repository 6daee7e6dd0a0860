import type { Json } from '../json.ts';
import type { AssistantMessage, ChatRequest, Message } from './llm.ts';
import type { Profile } from './profile.ts';
import { stripThinking } from './thinking.ts';

/** The parameters of sampling, by the API's names; genes have the same. */
export type Sampling = Partial<Record<keyof Profile['sampling'], number>>;

/** The bound on a reply that is reckoned with where none is sent, in tokens. */
const UNBOUNDED_REPLY = 8192;

const PARAMETERS = ['temperature', 'top_p', 'frequency_penalty', 'presence_penalty', 'max_tokens'] as const;

/**
 * The body of the call, exactly as it is sent: without a profile the request as it stands, else with sampling
 * narrowed to what the endpoint takes, the bound of the reply under the endpoint's name, and thinking in the history
 * sent back or left out. The bytes of its JSON are the bytes on the wire.
 */
export function wireBody(
  request: ChatRequest,
  profile: Profile | undefined,
  stream: boolean,
): { [key: string]: Json } {
  const flags = stream ? { stream, stream_options: { include_usage: true } } : { stream };
  if (!profile) return { ...(request as unknown as { [key: string]: Json }), ...flags };
  const { model, messages, tools, seed } = request;
  const { max_tokens, ...sampling } = usedSampling(request, profile);
  const body: { [key: string]: unknown } = {
    model,
    messages: messages.map((message) => asSent(message, profile)),
    ...sampling,
    ...(max_tokens === undefined ? {} : { [profile.maxTokens]: max_tokens }),
    ...(seed === undefined || !profile.seed ? {} : { seed }),
    ...(tools?.length ? { tools } : {}),
    ...(profile.reasoningSplit ? { reasoning_split: true } : {}),
    ...flags,
  };
  return body as { [key: string]: Json };
}

/**
 * The most a call can use: a token is never shorter than a byte, and a reply never longer than the bound sent (8,192
 * tokens are reckoned with where there is none).
 */
export function mostOf(
  request: ChatRequest,
  profile: Profile | undefined,
  stream: boolean,
): { tokensIn: number; tokensOut: number } {
  const body = wireBody(request, profile, stream);
  const bound = body.max_tokens ?? body.max_completion_tokens;
  return {
    tokensIn: Buffer.byteLength(JSON.stringify(body)),
    tokensOut: typeof bound === 'number' ? bound : UNBOUNDED_REPLY,
  };
}

/** What is really sent of these values: each narrowed to the endpoint's range, those that it does not take left out. */
export function usedSampling(sampling: Sampling, profile: Profile): Sampling {
  const used: Sampling = {};
  for (const name of PARAMETERS) {
    const value = sampling[name];
    const range = profile.sampling[name];
    if (value === undefined || range === null) continue;
    used[name] = Math.min(range.max, Math.max(range.min, value));
  }
  return used;
}

/** Paths of the genes that the endpoint cannot express, such as `sampling.presence_penalty`; they stay as they are. */
export function frozenGenes(profile: Profile): string[] {
  return PARAMETERS.filter((name) => {
    const range = profile.sampling[name];
    return range === null || range.min === range.max;
  }).map((name) => `sampling.${name}`);
}

const NOTHING = '(no answer)';

/** Only the fields that the API knows: strict endpoints refuse any other. */
function asSent(message: Message, profile: Profile): unknown {
  if (message.role !== 'assistant') return message;
  const { content, tool_calls } = message;
  const said = profile.thinking === 'strip' && content !== null ? stripThinking(content) : content;
  return {
    role: 'assistant',
    // A turn spent on thinking alone: some endpoints refuse a message that says nothing.
    content: !said && !tool_calls?.length ? NOTHING : said,
    ...(tool_calls?.length ? { tool_calls } : {}),
    ...(profile.thinking === 'send-back' ? thinkingSentBack(message) : {}),
  };
}

/** In one field, as it came: said twice, it would be paid for twice. */
function thinkingSentBack({ reasoning_details, reasoning_content }: AssistantMessage): object {
  if (reasoning_details !== undefined) return { reasoning_details };
  return reasoning_content === undefined ? {} : { reasoning_content };
}
