import { expect, test } from 'vitest';
import { withGrace } from '../../src/llm/grace.ts';
import { type ChatReply, type Llm, LlmError } from '../../src/llm/llm.ts';

const request = { model: 'm', messages: [] };
const reply: ChatReply = {
  message: { role: 'assistant', content: 'late' },
  finish: 'stop',
  tokensIn: 1,
  tokensOut: 1,
};

/** A model that answers when told to, and rejects when its signal aborts. */
function slowModel() {
  let answer = () => {};
  const llm: Llm = (_, signal) =>
    new Promise((resolve, reject) => {
      answer = () => resolve(reply);
      const cancelled = () => reject(new LlmError('cancelled', 'cancelled'));
      if (signal?.aborted) cancelled();
      signal?.addEventListener('abort', cancelled);
    });
  return { llm, answer: () => answer() };
}

test('a call under way when nobody waits any more may finish', async () => {
  const { llm, answer } = slowModel();
  const stop = new AbortController();
  const asked = withGrace(llm, 60_000)(request, stop.signal);
  stop.abort();
  answer();
  expect(await asked).toBe(reply);
});

test('but not for ever', async () => {
  const stop = new AbortController();
  const asked = withGrace(slowModel().llm, 1)(request, stop.signal);
  stop.abort();
  await expect(asked).rejects.toMatchObject({ fault: 'cancelled' });
});

test('one that has not begun does not begin', async () => {
  const asked = withGrace(slowModel().llm, 60_000)(request, AbortSignal.abort());
  await expect(asked).rejects.toMatchObject({ fault: 'cancelled' });
});
