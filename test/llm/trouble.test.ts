import { expect, test } from 'vitest';
import { type Llm, LlmError } from '../../src/llm/llm.ts';
import { withTrouble } from '../../src/llm/trouble.ts';

const request = { model: 'm', messages: [] };

test('trouble is told after a few failures, and then now and then', async () => {
  let clock = 0;
  const said: string[] = [];
  const busy: Llm = async () => {
    throw new LlmError('busy', '429: slow down');
  };
  const llm = withTrouble(
    busy,
    (line) => said.push(line),
    () => clock,
  );
  const fail = async (times: number) => {
    for (let i = 0; i < times; i++) await expect(llm(request)).rejects.toThrow('429');
  };
  await fail(4);
  expect(said).toEqual([]);
  await fail(100);
  expect(said).toEqual(['5 calls failed and are tried again; the last one: 429: slow down']);
  clock = 31_000;
  await fail(1);
  expect(said[1]).toMatch(/^100 calls failed/);
});

test('what will not be tried again is no trouble of this kind', async () => {
  const said: string[] = [];
  const refusing: Llm = async () => {
    throw new LlmError('refused', '401');
  };
  const llm = withTrouble(refusing, (line) => said.push(line));
  for (let i = 0; i < 10; i++) await expect(llm(request)).rejects.toThrow('401');
  expect(said).toEqual([]);
});
