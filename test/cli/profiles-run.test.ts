import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Trajectory } from '../../src/agent/trajectory.ts';
import type { Candidate } from '../../src/event.ts';
import type { Genome } from '../../src/genome/genome.ts';
import { loadGenome } from '../../src/genome/load.ts';
import { saveGenome } from '../../src/genome/save.ts';
import { stripThinking } from '../../src/llm/thinking.ts';
import { plainGenome } from '../fixtures/genomes.ts';
import { smallWorld } from '../fixtures/small-world.ts';
import { type Answer, type Asked, type Endpoint, offlineAnswer, roleOf, startEndpoint } from './endpoint.ts';
import { emptyFolder, evolve } from './evolve.ts';
import { eventsOf } from './journal.ts';

const SMALL = [
  ...['--suite', 'suite', '--genomes', 'genomes', '--population', '6', '--generations', '2', '--json'],
  ...['--finalists', '1', '--final-repeats', '3', '--sealed-repeats', '5', '--first-tasks', '1'],
];
/** What every reply thinks; with edits and lessons in it that nobody may take for the answer. */
const THOUGHT = 'Hm, quibbling.';
const DECOY = `${THOUGHT}\n\`\`\`json\n{"hypothesis": "${THOUGHT}", "edits": [{"op": "set", "path": "rules.thought", "value": {"when": "always", "text": "${THOUGHT}"}}], "lessons": [{"symptom": "${THOUGHT}", "cause": "${THOUGHT}", "advice": "${THOUGHT}", "genes": []}]}\n\`\`\``;

let folder: ReturnType<typeof emptyFolder>;
const at = (...names: string[]) => path.join(folder.dir, ...names);
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir, { only: ['s1', 's2', 'v1', 'f1'], turns: 10, jobs: 4 });
  const { sampling } = plainGenome();
  const cold = plainGenome({ sampling: { ...sampling, temperature: 0 } });
  await saveGenome(cold, at('genomes', 'baseline'));
  const stern = plainGenome({ sampling: { ...sampling, frequency_penalty: 0.3, top_p: 0.8 } });
  await saveGenome(stern, at('genomes', 'stern'));
  await saveGenome(cold, at('cold', 'baseline'));
});
afterAll(() => folder.remove());

type Body = { [key: string]: unknown };
type Said = {
  role: string;
  content: string | null;
  reasoning_details?: unknown;
  reasoning_content?: unknown;
};

/** An endpoint that answers 400 to what `refusal` objects to, and counts it. */
async function strict(
  model: string,
  refusal: (body: Body) => string | null,
  think: (answer: Said, n: number) => void,
) {
  const refused: string[] = [];
  let answered = 0;
  const answer = ({ body }: Asked): Answer => {
    const why = refusal(body);
    if (why !== null) {
      refused.push(why);
      return { status: 400, text: JSON.stringify({ error: { message: why } }) };
    }
    const messages = (body.messages as Said[]).map(({ reasoning_details, ...message }) => ({
      ...message,
      content: message.content === null ? null : stripThinking(message.content),
    }));
    const completion = offlineAnswer({ ...body, messages });
    think(completion.choices[0]!.message as Said, answered++);
    return completion;
  };
  const endpoint: Endpoint = await startEndpoint({ models: [model], answer });
  return { endpoint, refused };
}

async function search(model: string, out: string, endpoint: Endpoint, args: string[] = []) {
  const env = { OPENAI_BASE_URL: endpoint.url, OPENAI_API_KEY: 'sk-0123456789abcdefghij' };
  const ran = await evolve([...SMALL, '--model', model, '--out', out, ...args], { cwd: folder.dir, env });
  await endpoint.close();
  return ran;
}

/** The genomes of a run's candidates, each with that of the founder of its lineage. */
async function candidatesOf(
  out: string,
): Promise<{ candidate: Candidate; genome: Genome; founder: Genome }[]> {
  const bred = eventsOf(at(out)).flatMap((event) => (event.type === 'bred' ? [event.candidate] : []));
  return await Promise.all(
    bred.map(async (candidate) => ({
      candidate,
      genome: await loadGenome(at(out, 'genomes', candidate.id)),
      founder: await loadGenome(at('genomes', candidate.lineage)),
    })),
  );
}

function trajectoriesOf(out: string): Trajectory[] {
  return readdirSync(at(out, 'trials')).map((id) =>
    JSON.parse(readFileSync(at(out, 'trials', id, 'trajectory.json'), 'utf8')),
  );
}

/** All that is kept of what models said but for their raw replies and what they did: notes, lessons, edits, reports. */
function wordsOf(out: string): string {
  const files = readdirSync(at(out), { recursive: true }).map(String);
  const kept = files.filter((file) => /(\.md|journal\.jsonl|genome\.json|report\.\w+)$/.test(file));
  expect(kept.some((file) => /trials\/\w+\/memory\.md/.test(file))).toBe(true);
  return kept.map((file) => readFileSync(at(out, file), 'utf8')).join('\n');
}

describe('MiniMax-M2.7', () => {
  const outOfRange = (value: unknown) => typeof value !== 'number' || value <= 0 || value > 1;
  const silent = ({ role, content, reasoning_details }: Said) =>
    role === 'assistant' &&
    !content?.includes(THOUGHT) &&
    !JSON.stringify(reasoning_details)?.includes(THOUGHT);
  const refusal = (body: Body) => {
    if (outOfRange(body.temperature)) return `temperature ${body.temperature}`;
    if (body.top_p !== undefined && outOfRange(body.top_p)) return `top_p ${body.top_p}`;
    if ('max_tokens' in body || !('max_completion_tokens' in body)) return 'max_tokens';
    if ('n' in body && body.n !== 1) return `n ${body.n}`;
    const loop = roleOf(body) === 'agent' ? (body.messages as Said[]) : [];
    return loop.some(silent) ? 'thinking is missing from the history' : null;
  };
  /** As the endpoint does with `reasoning_split` and without, in turns, as gateways drop what they do not know. */
  const think = (said: Said, n: number) => {
    if (n % 2 === 0) said.content = `<think>\n${DECOY}\n</think>\n\n${said.content ?? ''}`;
    else said.reasoning_details = [{ type: 'reasoning.text', id: `t${n}`, text: DECOY }];
  };
  const FROZEN = ['sampling.frequency_penalty', 'sampling.presence_penalty'];
  let ran: Awaited<ReturnType<typeof search>>;
  let refused: string[];
  let asked: Body[];
  beforeAll(async () => {
    const server = await strict('MiniMax-M2.7', refusal, think);
    ran = await search('MiniMax-M2.7', 'minimax', server.endpoint);
    refused = server.refused;
    asked = server.endpoint.asked.map(({ body }) => body);
  });

  test('finishes without a refusal', () => {
    expect(refused).toEqual([]);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ stop: 'finished', trials: { lost: 0 } });
    expect(asked.filter((body) => roleOf(body) === 'mutator').length).toBeGreaterThan(0);
    expect(asked.filter((body) => roleOf(body) === 'critic').length).toBeGreaterThan(0);
  });

  test('what it cannot express is named, and nothing changes it', async () => {
    expect(ran.stderr).toContain(`frozen, as MiniMax-M2.7 has no such parameter: ${FROZEN.join(', ')}\n`);
    expect(JSON.parse(readFileSync(at('minimax/report.json'), 'utf8')).models.frozen).toEqual(FROZEN);
    expect(readFileSync(at('minimax/report.md'), 'utf8')).toContain(
      `no such parameter: ${FROZEN.join(', ')}`,
    );
    const all = await candidatesOf('minimax');
    expect(all.length).toBeGreaterThan(6);
    for (const { genome, founder } of all) {
      const { frequency_penalty, presence_penalty } = founder.sampling;
      expect(genome.sampling).toMatchObject({ frequency_penalty, presence_penalty });
    }
    for (const body of asked) expect(Object.keys(body)).not.toContain('frequency_penalty');
  });

  test('a temperature of 0 is sent as the least that it takes, and recorded as used', async () => {
    expect(ran.stderr).toMatch(/^evolve: sampling\.temperature, 0 in the genome, is sent as 0\.01$/m);
    const agents = asked.filter((body) => roleOf(body) === 'agent');
    expect(agents.filter(({ temperature }) => temperature === 0.01).length).toBeGreaterThan(0);
    const told = trajectoriesOf('minimax').map(({ extra }) => extra?.sampling as Genome['sampling']);
    expect(told.every((sampling) => sampling && sampling.temperature >= 0.01)).toBe(true);
    expect(told.every((sampling) => !('frequency_penalty' in sampling))).toBe(true);
    expect(told.some(({ temperature }) => temperature === 0.01)).toBe(true);
  });

  test('the report says what became of a value that had to be narrowed', async () => {
    const { endpoint } = await strict('MiniMax-M2.7', refusal, think);
    // The founder, and one copy of it that differs by a step.
    const args = ['--genomes', 'cold', '--population', '2', '--generations', '1'];
    const two = await search('MiniMax-M2.7', 'two', endpoint, args);
    expect(two.code).toBe(0);
    const { narrowed } = JSON.parse(readFileSync(at('two/report.json'), 'utf8')).models;
    expect(narrowed).toEqual([{ path: 'sampling.temperature', told: 0, used: 0.01 }]);
    expect(readFileSync(at('two/report.md'), 'utf8')).toContain(
      'sampling.temperature is 0 in the champion, and was sent as 0.01',
    );
  });

  test('thinking is in trajectories as reasoning, and in no note, lesson, edit or report', () => {
    expect(wordsOf('minimax')).not.toContain(THOUGHT);
    for (const { steps } of trajectoriesOf('minimax')) {
      for (const step of steps.filter(({ source }) => source === 'agent')) {
        expect(step.reasoning_content).toBe(DECOY);
        expect(step.message).not.toContain(THOUGHT);
      }
    }
  });
});

describe('a reasoning model of OpenAI', () => {
  const refusal = (body: Body) => {
    const odd = ['temperature', 'top_p', 'frequency_penalty', 'presence_penalty', 'max_tokens', 'n'];
    const found = odd.find((name) => name in body);
    if (found !== undefined) return `Unsupported parameter: '${found}' is not supported with this model.`;
    return 'max_completion_tokens' in body ? null : 'max_completion_tokens is missing';
  };

  test('is sent no sampling, and no gene of it changes', async () => {
    const { endpoint, refused } = await strict('gpt-5.6-luna', refusal, () => {});
    const ran = await search('gpt-5.6-luna', 'openai', endpoint);
    expect(refused).toEqual([]);
    expect(ran.code).toBe(0);
    const names = ['temperature', 'top_p', 'frequency_penalty', 'presence_penalty'] as const;
    expect(JSON.parse(ran.stdout).models.frozen).toEqual(names.map((name) => `sampling.${name}`));
    for (const { genome, founder } of await candidatesOf('openai')) {
      for (const name of names) expect(genome.sampling[name]).toBe(founder.sampling[name]);
    }
  });
});

describe('a model that nothing is known of', () => {
  const refusal = (body: Body) => {
    const thinks = ({ role, ...said }: Said) =>
      role === 'assistant' && (JSON.stringify(said).includes(THOUGHT) || 'reasoning_content' in said);
    return (body.messages as Said[]).some(thinks) ? 'thinking in the history' : null;
  };
  const think = (said: Said, n: number) => {
    if (n % 2 === 0) said.content = `<think>${DECOY}\n</think>${said.content ?? ''}`;
    else said.reasoning_content = DECOY;
  };

  test('gets a history without thinking', async () => {
    const { endpoint, refused } = await strict('small', refusal, think);
    const ran = await search('small', 'unknown', endpoint, ['--allow-unpriced']);
    expect(refused).toEqual([]);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ models: { frozen: [], narrowed: [] }, cost: { usd: 0 } });
    expect(wordsOf('unknown')).not.toContain(THOUGHT);
    const thought = trajectoriesOf('unknown').flatMap(({ steps }) =>
      steps.flatMap((step) => step.reasoning_content ?? []),
    );
    expect(new Set(thought)).toEqual(new Set([DECOY]));
  });
});
