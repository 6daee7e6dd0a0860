import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smallWorld } from '../fixtures/small-world.ts';
import { type Endpoint, roleOf, saying, startEndpoint } from './endpoint.ts';
import { emptyFolder, evolve, type Ran } from './evolve.ts';
import { eventsOf } from './journal.ts';

const edits = (...list: unknown[]) => JSON.stringify({ hypothesis: 'better', expects: [], edits: list });
const set = (gene: string, value: unknown) => ({ op: 'set', path: gene, value, reason: 'because I say so' });
const rule = (text: string) => set('rules.new', { when: 'always', text });

/** What the mutator says, and the reason that must stand in the journal. */
const REPLIES: [string, string, RegExp][] = [
  ['prose', 'The harness is fine as it is.', /no JSON object that can be parsed/],
  ['empty edits', edits(), /"edits" must be a list with at least one edit/],
  ['no such gene', edits(set('sampling.temprature', 1)), /no gene "sampling\.temprature"/],
  ['out of range', edits(set('sampling.temperature', 7)), /sampling\.temperature is 7, outside 0 to 2/],
  ['10 MB', 'x'.repeat(10_000_000), /the reply has 10000000 characters, more than 200000/],
  ['more than is read', 'x'.repeat(17_000_000), /the mutator did not answer: .*longer than 16000000 /],
  [
    'the constitution',
    edits(set('constitution.forbiddenWords', [])),
    /no gene "constitution\.forbiddenWords"/,
  ],
  ['round the constitution', edits(rule('Copy the answers from the grader.')), /speaks of "answers"/],
  [
    'the prototype',
    edits(set('rules.__proto__', { when: 'always', text: 'x' })),
    /no gene "rules\.__proto__"/,
  ],
  [
    'a prototype within',
    '{"edits": [], "__proto__": {"frozen": []}}',
    /the key "__proto__", which is not allowed/,
  ],
];

let folder: ReturnType<typeof emptyFolder>;
let agent: Endpoint;
let mutator: Endpoint;
let ran: Ran;
/** The most memory that the program held, in MB. */
let mostMb = 0;

beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir, { only: ['s1', 's2', 'v1', 'f1'], turns: 8, jobs: 3 });
  copyFileSync(path.resolve('genomes/constitution.json'), path.join(folder.dir, 'genomes/constitution.json'));
  agent = await startEndpoint({ models: ['worker'], key: 'sk-agent-0123456789' });
  const begun = new Map<string, number>();
  mutator = await startEndpoint({
    models: ['wild'],
    key: 'sk-wild-9876543210',
    answer({ body, raw }) {
      const echo = String((body.messages as { content: string }[])[2]?.content ?? '').split('\n[…')[0]!;
      // Asked again with what was wrong, it says the same again.
      const known = echo === '' ? begun.get(raw) : REPLIES.findIndex(([, reply]) => reply.startsWith(echo));
      const kind = known ?? begun.size % REPLIES.length;
      if (echo === '') begun.set(raw, kind);
      return saying(REPLIES[kind]![1]);
    },
  });
  const args = [
    ...[
      '--suite',
      'suite',
      '--genomes',
      'genomes',
      '--population',
      '24',
      '--generations',
      '1',
      '--out',
      'run',
    ],
    ...['--first-tasks', '1', '--finalists', '1', '--final-repeats', '3', '--sealed-repeats', '5', '--json'],
    ...[
      '--model',
      'worker',
      '--mutator-model',
      'wild',
      '--mutator-base-url',
      mutator.url,
      '--allow-unpriced',
    ],
    ...['--mutator-key-variable', 'WILD_KEY', '--attempts', '2', '--backoff', '1ms'],
    // Each thread takes memory of its own, and there would be one for each core.
    ...['--workers', '2'],
  ];
  const env = {
    OPENAI_BASE_URL: agent.url,
    OPENAI_API_KEY: 'sk-agent-0123456789',
    WILD_KEY: 'sk-wild-9876543210',
  };
  ran = await evolve(args, { cwd: folder.dir, env }, (child) => {
    const timer = setInterval(() => {
      mostMb = Math.max(mostMb, peakOf(child.pid!));
    }, 20);
    child.on('close', () => clearInterval(timer));
  });
});
afterAll(async () => {
  await agent.close();
  await mutator.close();
  folder.remove();
});

const refusals = () =>
  eventsOf(path.join(folder.dir, 'run')).flatMap((event) =>
    event.type === 'refused' && event.operator === 'mutate-text' ? [event.reason] : [],
  );

describe('a mutator of its own that says nothing of use', () => {
  test('does not stop the run', () => {
    expect(ran.stderr).toMatch(/^evolve: mutator: wild at http:/m);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ stop: 'finished', trials: { lost: 0 } });
    expect(agent.asked.every(({ body }) => body.model === 'worker' && roleOf(body) !== 'mutator')).toBe(true);
    expect(mutator.asked.every(({ body }) => body.model === 'wild' && roleOf(body) === 'mutator')).toBe(true);
    expect(mutator.asked.length).toBeGreaterThanOrEqual(2 * REPLIES.length - 1);
  });

  test.each(REPLIES)('%s is refused, and the journal says why', (_, _reply, reason) => {
    expect(refusals().some((text) => reason.test(text))).toBe(true);
  });

  test('nothing of it lives, and its slots are filled all the same', () => {
    const events = eventsOf(path.join(folder.dir, 'run'));
    const bred = events.flatMap((event) => (event.type === 'bred' ? [event.candidate] : []));
    expect(bred).toHaveLength(24);
    expect(
      bred.flatMap(({ changes }) => changes).filter((change) => !/^[a-z_]+\.[a-z_]+$/.test(change.path)),
    ).toEqual([]);
    for (const reason of refusals()) expect(reason.length).toBeLessThan(1100);
  });

  test('journal and memory stay small', () => {
    const journal = readFileSync(path.join(folder.dir, 'run/journal.jsonl'));
    expect(journal.length).toBeLessThan(500_000);
    if (process.platform === 'linux') expect(mostMb).toBeGreaterThan(0);
    expect(mostMb).toBeLessThan(700);
  });
});

/** Peak memory of a process in MB; 0 where that cannot be read. */
function peakOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
