import { expect, it } from 'vitest';
import { type ChatRequest, type Llm, LlmError, type Message } from '../../src/llm/llm.ts';
import { withMendedHistory } from '../../src/llm/mend-history.ts';

const call = (id: string, args: string): Message => ({
  role: 'assistant',
  content: 'I write.',
  tool_calls: [{ id, type: 'function', function: { name: 'write_file', arguments: args } }],
});
const result = (id: string, content: string): Message => ({ role: 'tool', tool_call_id: id, content });
const user: Message = { role: 'user', content: 'Go on.' };

/** An endpoint that refuses histories with unusable calls, as MiniMax does; `seen` holds all it was sent. */
function picky(): { llm: Llm; seen: Message[][] } {
  const seen: Message[][] = [];
  const llm: Llm = async ({ messages }) => {
    seen.push(messages);
    if (JSON.stringify(messages).includes("{'a'")) throw new LlmError('bad-request', '2013');
    return { message: { role: 'assistant', content: 'yes' }, finish: 'stop', tokensIn: 1, tokensOut: 1 };
  };
  return { llm, seen };
}

const ask = (messages: Message[]): ChatRequest => ({ model: 'm', messages });

it('drops unusable turns, once refused, and then at once', async () => {
  const { llm, seen } = picky();
  const mended = withMendedHistory(llm);
  const messages = [user, call('a', "{'a': 1}"), result('a', 'no'), call('b', '{}'), result('b', 'ok')];
  const whole = [user, call('b', '{}'), result('b', 'ok')];
  await mended(ask(messages));
  expect(seen).toEqual([messages, whole]);
  await mended(ask(messages));
  expect(seen).toEqual([messages, whole, whole]);
});

it('says in place of a last turn why it could not be used', async () => {
  const { llm, seen } = picky();
  await withMendedHistory(llm)(ask([user, call('a', "{'a': 1}"), result('a', 'no such file\nTurn 3 of 9')]));
  expect(seen[1]).toHaveLength(2);
  expect(seen[1]![1]).toMatchObject({ role: 'user' });
  expect(seen[1]![1]!.content).toContain('write_file');
  expect(seen[1]![1]!.content).toContain('no such file\nTurn 3 of 9');
});

it('sends nothing twice where the history is whole, the prompt too long, or the repair did not help', async () => {
  const broken = [user, call('a', "{'a': 1}"), result('a', 'no')];
  for (const [fault, messages, times] of [
    ['bad-request', [user, call('a', '{}'), result('a', 'ok')], 1],
    ['too-long', broken, 1],
    ['bad-request', broken, 2],
    ['bad-request', broken, 2],
  ] as const) {
    let calls = 0;
    const llm = withMendedHistory(async () => {
      calls++;
      throw new LlmError(fault, 'no');
    });
    await expect(llm(ask([...messages]))).rejects.toMatchObject({ fault });
    expect(calls).toBe(times);
  }
});

it('mends what breaks the endpoint, too, but a 500 does not make it picky', async () => {
  const broken = [user, call('a', "{'a': 1}"), result('a', 'no'), user];
  const seen: number[] = [];
  const mended = withMendedHistory(async ({ messages }) => {
    seen.push(messages.length);
    if (seen.length === 1) throw new LlmError('unavailable', 'it broke', { status: 500 });
    return { message: { role: 'assistant', content: 'yes' }, finish: 'stop', tokensIn: 1, tokensOut: 1 };
  });
  await mended(ask(broken));
  await mended(ask(broken));
  expect(seen).toEqual([4, 2, 4]);

  let calls = 0;
  const down = withMendedHistory(async () => {
    calls++;
    throw new LlmError('unavailable', 'it is down', { status: 503 });
  });
  await expect(down(ask(broken))).rejects.toMatchObject({ status: 503 });
  expect(calls).toBe(1);
});
