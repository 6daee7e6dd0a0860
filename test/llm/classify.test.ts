import { describe, expect, it } from 'vitest';
import { errorObjectFault, httpFault } from '../../src/llm/classify.ts';

/** The fault in an answer with this status and error; `headers` beside it. */
function faultOf(status: number, error: string | object, headers: Record<string, string> = {}) {
  const body = JSON.stringify({ error: typeof error === 'string' ? { message: error } : error });
  return httpFault(status, new Headers(headers), body);
}

const RATE = 'Rate limit reached for gpt-4.1 on requests per min (RPM): Limit 3, Used 3.';
const MORE = 'Add a payment method at https://platform.openai.com/account/billing.';
const EXCEEDED = 'You exceeded your current quota, please check your plan and billing details.';

describe('a 429 is of the minute, or of the account', () => {
  it.each([
    ['a rate limit that advertises', `${RATE} Please try again in 20s. ${MORE}`, 20_000],
    ['the same without a time', `${RATE} ${MORE}`, null],
    ['a quota of the minute', `${EXCEEDED} Quota exceeded for metric: rpm. Please retry in 36.6s.`, 36_600],
    ['a time in parts', 'Too fast. Please try again in 1m12s.', 72_000],
    ['hours', 'Tokens per day (TPD): try again in 6h0m0s.', 21_600_000],
    ['milliseconds', 'Please try again in 120ms.', 120],
    ['another balance', 'The load balance of this cluster is off.', null],
    ['no time at all', 'Retry in a while.', null],
  ])('busy: %s', (_, message, retryAfterMs) => {
    expect(faultOf(429, message)).toMatchObject({ fault: 'busy', retryAfterMs, status: 429 });
  });

  it('a quota with Retry-After comes back, and the header goes before the words', () => {
    const error = faultOf(429, `${EXCEEDED} Please retry in 36s.`, { 'retry-after': '5' });
    expect(error).toMatchObject({ fault: 'busy', retryAfterMs: 5000 });
    expect(faultOf(429, EXCEEDED, { 'retry-after': '5' }).fault).toBe('busy');
  });

  it.each([
    { message: EXCEEDED },
    { message: EXCEEDED, type: 'insufficient_quota', code: 'insufficient_quota' },
    { message: `${EXCEEDED} Please retry in 36s.`, code: 'insufficient_quota' },
    { message: 'Insufficient balance' },
    { message: 'Insufficient account balance' },
    { message: 'insufficient credits' },
    { message: 'Your credit balance is too low' },
  ])('refused: %o', (error) => {
    expect(faultOf(429, error)).toMatchObject({ fault: 'refused', fatal: true });
  });
});

describe('a 400 stops the run only where it is the model that is not there', () => {
  it.each([
    [400, { message: 'no such thing', code: 'model_not_found' }],
    [400, 'The model `huge` does not exist or you do not have access to it.'],
    [400, "model 'qwen3:8b' not found"],
    [422, 'Model gpt-9 was not found'],
    [400, 'Model Not Exist'],
    [400, 'acme/huge is not a valid model ID'],
    [404, 'model "llama9" not found, try pulling it first'],
  ])('%i %o', (status, error) => {
    expect(faultOf(status, error).fault).toBe('unknown-model');
  });

  it.each([
    'The model output holds a tool call whose function was not found',
    'The model called a function that does not exist',
    'model response refers to call_1, and the tool call was not found',
  ])('bad-request: %s', (message) => {
    expect(faultOf(400, message)).toMatchObject({ fault: 'bad-request', fatal: false });
  });
});

describe('too long is the prompt', () => {
  it.each([
    "This model's maximum context length is 8192 tokens.",
    'prompt is too long: 210000 tokens > 200000 maximum',
    'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000',
    'the request exceeds the available context size, try increasing it',
    'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
    'Prompt contains 40000 tokens, too large for model with 32768 maximum context length',
    "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
    'Invalid request: Your request exceeded model token limit: 262144',
    'Range of input length should be [1, 129024]',
    'too many input tokens',
  ])('%s', (message) => {
    expect(faultOf(400, message).fault).toBe('too-long');
  });

  it.each([
    'max_tokens must not exceed the maximum tokens 8192',
    'max_tokens is too large: 100000. This model supports at most 16384 completion tokens.',
    'Invalid input: tool_call_id too long',
    'Invalid input: the tool name is too long',
  ])('not %s', (message) => {
    expect(faultOf(400, message).fault).toBe('bad-request');
  });
});

describe('an error in a 200', () => {
  it.each([
    [429, 'busy'],
    [400, 'bad-request'],
    [401, 'refused'],
    ['1002', 'busy'],
  ])('with code %s costs nothing before the reply has begun, and may after', (code, fault) => {
    const error = { error: { code, message: 'Provider returned error' } };
    expect(errorObjectFault(error)).toMatchObject({ fault, billed: false });
    expect(errorObjectFault(error, true)).toMatchObject({ fault, billed: true });
  });

  it('may have cost where the provider failed, and names its status', () => {
    const failed = errorObjectFault({ error: { code: 502, message: 'Upstream failed' } });
    expect(failed).toMatchObject({ fault: 'unavailable', billed: true, status: 502 });
    const without = errorObjectFault({ error: { type: 'server_error', message: 'it failed' } });
    expect(without).toMatchObject({ fault: 'unavailable', billed: true, status: 200 });
  });

  it('is read by its words as an answer is', () => {
    const ask = (message: string) => errorObjectFault({ error: { message } });
    expect(ask(`${EXCEEDED} Please retry in 36s.`)).toMatchObject({ fault: 'busy', retryAfterMs: 36_000 });
    expect(ask(EXCEEDED).fault).toBe('refused');
  });
});

it('says what to do where the endpoint wants thinking sent back', () => {
  const error = faultOf(400, 'thinking is enabled but reasoning_content is missing in assistant message 2');
  expect(error).toMatchObject({ fault: 'bad-request' });
  expect(error.hint).toContain('thinking: send-back');
});

it('looks at hostile errors in no time to speak of', () => {
  const long = 'model ./'.repeat(8000);
  for (const error of [{ code: long }, { type: long }, { message: long }, long]) {
    expect(faultOf(400, error).fault).toBe('bad-request');
  }
  const tried = 'try again in 1'.repeat(4000);
  expect(faultOf(429, { message: tried, code: tried })).toMatchObject({ fault: 'busy', retryAfterMs: null });
});
