import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChatReply, type ChatRequest, type Llm, LlmError } from '../../src/llm/llm.ts';
import { withRedaction } from '../../src/llm/redaction.ts';
import { protect } from '../../src/secrets.ts';

describe('withRedaction', () => {
  const SECRET = 'wire-0x1a2b3c4d';
  const request = (content: string): ChatRequest => ({ model: 'm', messages: [{ role: 'user', content }] });
  const reply = (content: string, args = '{}'): ChatReply => ({
    message: {
      role: 'assistant',
      content,
      tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: args } }],
    },
    finish: 'stop',
    tokensIn: 1,
    tokensOut: 1,
  });
  beforeAll(() => {
    process.env.WIRE_KEY = SECRET;
    protect([]);
  });
  afterAll(() => {
    delete process.env.WIRE_KEY;
  });

  const failing = (error: unknown): Llm => withRedaction(() => Promise.reject(error));

  it('lets no value through, either way', async () => {
    let sent = '';
    const llm = withRedaction(async (asked) => {
      sent = JSON.stringify(asked);
      return reply(`you said ${SECRET}`, JSON.stringify({ path: SECRET }));
    });
    const answer = await llm({ ...request(`my key: ${SECRET}`), tools: [] });
    expect(sent).toContain('my key: [WIRE_KEY]');
    expect(answer).toEqual(reply('you said [WIRE_KEY]', '{"path":"[WIRE_KEY]"}'));
  });

  it('leaves a request alone that holds none', async () => {
    const asked = request('hello');
    let sent: ChatRequest | null = null;
    await withRedaction(async (it) => {
      sent = it;
      return reply('');
    })(asked);
    expect(sent).toBe(asked);
  });

  it('cleans errors, and keeps what they say otherwise', async () => {
    const more = {
      status: 429,
      retryAfterMs: 5,
      billed: true,
      hint: `not ${SECRET}`,
      cause: { headers: SECRET },
    };
    const error = await failing(new LlmError('busy', `no: ${SECRET}`, more))(request('')).catch((it) => it);
    expect(error).toBeInstanceOf(LlmError);
    expect(error).toMatchObject({
      fault: 'busy',
      message: 'no: [WIRE_KEY]',
      status: 429,
      retryAfterMs: 5,
      billed: true,
      hint: 'not [WIRE_KEY]',
    });
    expect(error.cause).toBeUndefined();
    expect(error.stack).not.toContain(SECRET);
    const short = await failing(new LlmError('budget', 'no', { limit: 'tokens' }))(request('')).catch(
      (it) => it,
    );
    expect(short).toMatchObject({ fault: 'budget', limit: 'tokens' });
    const other = await failing(new TypeError(`odd ${SECRET}`))(request('')).catch((it) => it);
    expect(`${other.message} ${other.stack}`).not.toContain(SECRET);
    const harmless = new TypeError('odd');
    await expect(failing(harmless)(request(''))).rejects.toBe(harmless);
  });
});
