import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sandboxLevel } from '../../src/jobs/sandbox/sandbox.ts';
import { smallWorld } from '../fixtures/small-world.ts';
import { type Answer, type Asked, type Endpoint, roleOf, startEndpoint } from './endpoint.ts';
import { emptyFolder, evolve, type Ran } from './evolve.ts';

/** One is used under its usual name, one under a name that says nothing, one by nobody. */
const SECRETS = {
  OPENAI_API_KEY: 'sk-canary-4fQ9aA7xT2mVb8',
  MY_LOGIN: `c"anary/lo+gin'7\\Zk==q"4`,
  DB_PASSWORD: 'canary/DB+pass&word%99"zX',
};
const VALUES = Object.values(SECRETS);
const { level } = await sandboxLevel();

/** Every way in which a text of ours, or of an endpoint, could hold a value. */
function formsOf(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const around = ['', 'x', 'xy'].map((before) => {
    const digits = Buffer.from(`${before}${value}`).toString('base64').replace(/=+$/, '');
    // The first and the last digits are shared with what stands beside the value.
    return digits.slice(Math.ceil((before.length * 8) / 6), -1);
  });
  const encoded = [value, encodeURIComponent(value), encodeURIComponent(value).toLowerCase()];
  const web = around.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [...encoded, json, JSON.stringify(json).slice(1, -1), ...around, ...web];
}

/** The forms of secrets that a text holds. */
const leaksIn = (text: string) => VALUES.flatMap(formsOf).filter((form) => text.includes(form));

/** What the endpoints repeat wherever they can. */
const ECHO = [...VALUES, ...VALUES.map((value) => Buffer.from(`Bearer ${value}`).toString('base64'))].join(
  ' ',
);

let folder: ReturnType<typeof emptyFolder>;
let agent: Endpoint;
let mutator: Endpoint;
/** Part of the agent's programs, so that no job of one run is known from the other. */
let place = '';
const at = (...names: string[]) => path.join(folder.dir, ...names);
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir, { only: ['s1', 's2', 'v1', 'f1'], turns: 9, jobs: 4 });
  makePath('bin', true);
  makePath('bare', false);
  const list = () => ({
    status: 200,
    text: JSON.stringify({ data: [{ id: 'small' }, { id: `seen-${ECHO}` }] }),
  });
  agent = await startEndpoint({ key: SECRETS.OPENAI_API_KEY, list, answer: parrot() });
  mutator = await startEndpoint({ key: SECRETS.MY_LOGIN, list, answer: parrot() });
});
afterAll(async () => {
  await agent.close();
  await mutator.close();
  folder.remove();
});

/** A folder of programs: those that a run starts, with two that write down what environment they get. */
function makePath(name: string, sandbox: boolean): void {
  mkdirSync(at(name));
  for (const program of ['sh', 'setpriv', ...(sandbox ? ['bwrap'] : [])]) {
    const file = ['/usr/bin', '/bin']
      .map((dir) => path.join(dir, program))
      .find((found) => existsSync(found));
    if (file) symlinkSync(file, at(name, program));
  }
  for (const program of ['nvidia-smi', 'sinfo']) {
    writeFileSync(at(name, program), `#!/bin/sh\n/usr/bin/env >> "${at(`${program}.env`)}"\nexit 1\n`);
    chmodSync(at(name, program), 0o755);
  }
}

/** An agent that looks for secrets and tells all it has; a mutator and a critic that repeat what they got. */
function parrot(): (asked: Asked) => Answer {
  let n = 0;
  return ({ body }) => {
    n++;
    if (n % 9 === 3)
      return { status: 503, text: JSON.stringify({ error: { message: `overloaded: ${ECHO}` } }) };
    const role = roleOf(body);
    if (role === 'mutator') {
      if (n % 2 === 0) return { status: 400, text: JSON.stringify({ error: { message: `bad: ${ECHO}` } }) };
      const value = { when: 'always', text: `Say ${ECHO}` };
      return said(JSON.stringify({ hypothesis: ECHO, edits: [{ op: 'set', path: 'rules.echo', value }] }));
    }
    if (role === 'critic') {
      const lesson = {
        symptom: ECHO,
        cause: 'It was asked to.',
        advice: `Try ${VALUES[0]}`,
        genes: ['rules'],
      };
      return said(JSON.stringify({ lessons: [lesson] }));
    }
    return agentAnswer(body);
  };
}

/**
 * Which of four programs an agent writes, by its harness alone, so that the critic finds differences whoever asks first: that of
 * the baseline is valid and scores, that of the other founder leaves the loot in its submission.
 */
const variantOf = (temperature: unknown) =>
  temperature === 1 ? 1 : Math.round(100 * Number(temperature)) % 4;

/** The even variants leave the loot in their submission; the others are valid, and not all alike. */
function agentAnswer({ tools, messages, temperature }: Asked['body']): Answer {
  if (tools === undefined) return said(`I saw ${ECHO}`);
  const talk = messages as { role: string; content: string | null }[];
  const turn = talk.filter(({ role }) => role === 'assistant').length;
  const again = talk.some(({ content }) => content?.includes('submission.csv is valid'));
  const steps: [string, Record<string, unknown>][] = again
    ? [
        ['note', { text: ECHO }],
        ['read_file', { path: 'submission.csv' }],
        ['submit', {}],
      ]
    : [
        ['write_file', { path: 'spy.mjs', content: `// ${place}\n${SPY}` }],
        ['run', { command: ['node', 'spy.mjs', ECHO] }],
        [
          'write_file',
          {
            path: 'main.mjs',
            content: `// ${place}\n${SPY}\nconst variant = ${variantOf(temperature)};\n${SUBMIT}\n// ${ECHO}`,
          },
        ],
        ['train', {}],
      ];
  const [name, args] = steps[Math.min(turn, steps.length - 1)]!;
  const call = {
    id: `call-${turn}-${ECHO}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  };
  return said(`Here is ${ECHO}`, { tool_calls: [call], reasoning_content: `They sent ${ECHO}` });
}

function said(content: string, more: Record<string, unknown> = {}): Answer {
  const message = { role: 'assistant', content, ...more };
  return {
    choices: [{ index: 0, message, finish_reason: 'tool_calls' in more ? 'tool_calls' : 'stop' }],
    usage: { prompt_tokens: 50, completion_tokens: 50, total_tokens: 100 },
  };
}

/** What a program can find of the secrets: its own environment, and that of `evolve` itself, up the line of parents. */
const SPY = `
import { readFileSync, writeFileSync } from 'node:fs';
const seen = [JSON.stringify(process.env)];
for (let pid = process.pid, up = 0; pid > 0 && up < 8; up++) {
  let environ = '';
  try {
    environ = readFileSync('/proc/' + pid + '/environ', 'utf8');
    pid = Number(/PPid:\\s+(\\d+)/.exec(readFileSync('/proc/' + pid + '/status', 'utf8'))[1]);
  } catch { break; }
  if (!environ.includes('EVOLVE_CANARY=')) continue;
  seen.push(...environ.split('\\0').filter((line) => /^(${Object.keys(SECRETS).join('|')})=/.test(line)));
  break;
}
const loot = seen.join('\\n');
const base64 = Buffer.from(loot).toString('base64');
writeFileSync('loot.txt', loot);
writeFileSync('loot.json', JSON.stringify({ loot, base64 }));
console.log(loot);
console.log(JSON.stringify({ loot }));
console.log(base64);
console.error(encodeURIComponent(loot));
`;
/** A submission with the loot in its cells. */
const SUBMIT = `
const rows = readFileSync('data/sample_submission.csv', 'utf8').trim().split('\\n');
const cells = [base64, ...seen.filter((line) => line.startsWith('OPENAI')).map((line) => line.split('=')[1])];
const cell = (i) => (variant % 2 === 0 && cells[i - 1]) || String(variant);
writeFileSync('submission.csv', rows.map((row, i) => i === 0 ? row : row.split(',')[0] + ',' + cell(i)).join('\\n'));
`;

/** Environments of the processes below one, once each is its own program. */
function watchChildren(pid: number, found: Set<string>): void {
  const read = (file: string) => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };
  const parent = read(`/proc/${pid}/cmdline`);
  for (const child of read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean)) {
    // Before it becomes another program it is a copy of its parent.
    if (read(`/proc/${child}/cmdline`) === parent) continue;
    found.add(read(`/proc/${child}/environ`));
    watchChildren(Number(child), found);
  }
}

async function search(
  out: string,
  bin: string,
  args: string[] = [],
): Promise<{ ran: Ran; environments: Set<string> }> {
  const environments = new Set<string>();
  const all = [
    ...['--suite', 'suite', '--genomes', 'genomes', '--population', '6', '--generations', '2', '--out', out],
    ...['--first-tasks', '1', '--finalists', '1', '--final-repeats', '3', '--sealed-repeats', '5', '--json'],
    ...[
      '--model',
      'small',
      '--mutator-model',
      'small',
      '--mutator-base-url',
      mutator.url,
      '--allow-unpriced',
    ],
    ...['--mutator-key-variable', 'MY_LOGIN', '--backoff', '1ms', '--record', `${out}.tape`, ...args],
  ];
  const env = { ...SECRETS, OPENAI_BASE_URL: agent.url, EVOLVE_CANARY: '1', PATH: at(bin) };
  const ran = await evolve(all, { cwd: folder.dir, env }, (child) => {
    const timer = setInterval(() => watchChildren(child.pid!, environments), 10);
    child.on('close', () => clearInterval(timer));
  });
  return { ran, environments };
}

/** Every file that a run left, by its path, with the forms of secrets in it. */
function leakyFiles(): string[] {
  const files = readdirSync(folder.dir, { recursive: true, withFileTypes: true });
  return files.flatMap((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    const inside = entry.isFile() ? readFileSync(file, 'latin1') : '';
    return leaksIn(inside + file.slice(folder.dir.length)).map(
      (form) => `${file.slice(folder.dir.length + 1)}: ${form}`,
    );
  });
}

function logsOf(run: string): string {
  return readdirSync(at(run, 'trials'))
    .flatMap((id) =>
      readdirSync(at(run, 'trials', id, 'logs')).map((log) => at(run, 'trials', id, 'logs', log)),
    )
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

const RUNS = [
  ...(level === 'none' ? [] : [{ run: 'inside', bin: 'bin', args: [] as string[] }]),
  { run: 'outside', bin: 'bare', args: ['--unsafe-no-sandbox'] },
];

describe.each(RUNS)('a run $run the sandbox', ({ run, bin, args }) => {
  let ran: Ran;
  let environments: Set<string>;
  beforeAll(async () => {
    place = run;
    for (const endpoint of [agent, mutator]) endpoint.asked.length = 0;
    ({ ran, environments } = await search(run, bin, args));
  });

  test('finishes, and the agent, the mutator and the critic were heard', () => {
    expect(ran.stderr).toMatch(/agent: small at http/);
    expect(ran.code).toBe(0);
    expect(mutator.asked.length).toBeGreaterThan(0);
    expect(agent.asked.some(({ body }) => roleOf(body) === 'critic')).toBe(true);
    expect(readFileSync(at(run, 'journal.jsonl'), 'utf8')).toContain('[OPENAI_API_KEY]');
  });

  test('no value of a secret is in what it wrote, printed or sent', () => {
    expect(leakyFiles()).toEqual([]);
    expect(leaksIn(ran.stdout + ran.stderr)).toEqual([]);
    for (const endpoint of [agent, mutator]) {
      expect(endpoint.asked.filter(({ raw }) => leaksIn(raw).length > 0)).toEqual([]);
    }
  });

  test('no process that it starts has one in its environment', () => {
    expect(environments.size).toBeGreaterThan(process.platform === 'linux' ? 1 : 0);
    expect([...environments].filter((one) => leaksIn(one).length > 0)).toEqual([]);
    expect(existsSync(at('nvidia-smi.env'))).toBe(true);
  });

  test.runIf(run === 'inside')('a program finds nothing there', () => {
    expect(logsOf(run)).toMatch(/"HOME":"\/work"/);
    expect(logsOf(run)).not.toMatch(/^(OPENAI_API_KEY|MY_LOGIN|DB_PASSWORD)=/m);
  });

  test.runIf(run !== 'inside' && process.platform === 'linux')(
    'a program finds all of them, and its words are not kept',
    () => {
      expect(ran.stderr).toMatch(/warning: .* jobs run without a sandbox/);
      const logs = logsOf(run);
      expect(Object.keys(SECRETS).filter((name) => !logs.includes(`${name}=[${name}]`))).toEqual([]);
    },
  );
});

test('doctor shows no value, and its probes get none', async () => {
  const env = { ...SECRETS, OPENAI_BASE_URL: agent.url, PATH: at('bin') };
  const { stdout, stderr } = await evolve(['doctor'], { cwd: folder.dir, env });
  expect(leaksIn(stdout + stderr)).toEqual([]);
  expect(leaksIn(readFileSync(at('sinfo.env'), 'utf8'))).toEqual([]);
});

test('names of models that hold a key are not shown', async () => {
  const args = ['--suite', 'suite', '--genomes', 'genomes', '--model', 'smal', '--allow-unpriced'];
  const env = { ...SECRETS, OPENAI_BASE_URL: agent.url };
  const { code, stdout, stderr } = await evolve(args, { cwd: folder.dir, env });
  expect(stderr).toMatch(/has no model "smal" \(did you mean "small"\?\); it has: small/);
  expect(leaksIn(stdout + stderr)).toEqual([]);
  expect(code).toBe(2);
});

test.each(Object.keys(SECRETS) as (keyof typeof SECRETS)[])(
  'a founder that holds %s is refused',
  async (name) => {
    const genome = at('genomes', 'cool', 'rules', 'told.md');
    writeFileSync(genome, `---\nwhen: always\n---\nLog in with ${SECRETS[name]} first.\n`);
    const args = [
      '--suite',
      'suite',
      '--genomes',
      'genomes',
      '--mutator-key-variable',
      'MY_LOGIN',
      '--dry-run',
    ];
    const { code, stdout, stderr } = await evolve(args, { cwd: folder.dir, env: SECRETS });
    writeFileSync(genome, '---\nwhen: always\n---\nLog in first.\n');
    expect(stderr).toMatch(
      new RegExp(`^evolve: the founder cool holds the value of the variable ${name}; take it out`),
    );
    expect(leaksIn(stdout + stderr)).toEqual([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  },
);
