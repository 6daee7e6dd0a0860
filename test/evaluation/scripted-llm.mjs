// A model for tests: plays the script that a rule of the genome asks for ("play good"); `llm` is what worker
// threads load. Its replies depend on the request alone, but for the scripts that misbehave once: those leave a
// mark in the folder named by MARKS, so that they behave the second time.
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { LlmError } from '../../dist/llm/llm.js';

/** As `src/evaluation/worker.ts` wants it. */
export const llm = () => scriptedLlm((message) => new LlmError('unavailable', message));

/** Writes predictions a·x + b for the tiny suite's five test rows, after `wait` ms. */
const mainMjs = (a, b, wait = 0) => `// predicts ${a}x + ${b}
import { writeFileSync } from 'node:fs';
await new Promise((resolve) => setTimeout(resolve, ${wait}));
const rows = [0.25, 1.25, 2.25, 3.25, 4.25].map((x, i) => \`t\${i},\${${a} * x + ${b}}\`);
writeFileSync('submission.csv', ['id,y', ...rows].join('\\n') + '\\n');
console.log('validation rmse: 0.5');
`;

const write = (content) => ['write_file', { path: 'main.mjs', content }];
const TRAIN = ['train', {}];
const SUBMIT = ['submit', {}];

/** What a script does at each turn, from the first. */
const SCRIPTS = {
  good: [write(mainMjs(2, 1)), TRAIN, SUBMIT],
  poor: [write(mainMjs(2, 2)), TRAIN, SUBMIT],
  // Whoever waits for it instead of ending it waits longer than a test may.
  slow: [write(mainMjs(2, 1, 600_000)), TRAIN, SUBMIT],
  idle: [],
};

export function scriptedLlm(llmError) {
  return async (request) => {
    const text = request.messages.map((message) => message.content ?? '').join('\n');
    const name = /\bplay ([a-z]+)/.exec(text)?.[1] ?? 'good';
    const turn = Number([...text.matchAll(/\[turn (\d+) of/g)].at(-1)?.[1] ?? 0);
    const fileOf = (mark) => join(process.env.MARKS ?? '/nonexistent', mark);
    const marked = (mark) => existsSync(fileOf(mark));
    /** Until the test leaves the mark: when all stands as it should at that moment. */
    const allowed = async (mark) => {
      while (!marked(mark)) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const once = (mark) => {
      if (marked(mark)) return false;
      writeFileSync(fileOf(mark), '');
      return true;
    };
    if (name === 'unreachable') throw llmError('the endpoint is down');
    if (name === 'buggy') {
      await allowed('may-fault');
      throw new TypeError('a fault in the program');
    }
    if (name === 'requires') createRequire(import.meta.url)('../../dist/llm/llm.js');
    if (turn === 3 && name === 'exitslater') {
      await allowed('may-exit');
      if (once('exited')) process.exit(7);
    }
    if (turn === 2) {
      if (name === 'flaky' && once('flaky')) throw llmError('a hiccup');
      if (name === 'dies' || (name === 'exits' && once('exited'))) process.exit(7);
      if (name === 'spins' && once('spun')) for (;;);
      if (name === 'hangs') await new Promise(() => {});
    }
    const [tool, args] = (SCRIPTS[name] ?? SCRIPTS.good)[turn - 1] ?? ['list_files', {}];
    const wantsNote = !request.tools?.length;
    const call = {
      id: `call-${turn}`,
      type: 'function',
      function: { name: tool, arguments: JSON.stringify(args) },
    };
    return {
      message: wantsNote
        ? { role: 'assistant', content: 'it gave a submission' }
        : { role: 'assistant', content: null, tool_calls: [call] },
      finish: wantsNote ? 'stop' : 'tool_calls',
      tokensIn: text.length,
      tokensOut: 10,
    };
  };
}
