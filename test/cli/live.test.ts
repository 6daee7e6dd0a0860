import type { ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/commands/status.ts';
import type { Live } from '../../src/store/live.ts';
import { smallWorld } from '../fixtures/small-world.ts';
import { type Answer, type Asked, type Endpoint, roleOf, saying, startEndpoint } from './endpoint.ts';
import { emptyFolder, evolve, type Ran } from './evolve.ts';

const KEY = 'sk-canary-8dR2wQ0zLk5Yt1';

/** Trains until it is let go, and tells of each step; what the endpoint knows of the key, it says. */
const program = () => `
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
for (let i = 1; i === 1 || (i < 3000 && !existsSync('${at('go')}')); i++) {
  console.log('tick ' + i + ' ${KEY}\\u001b[2J');
  await new Promise((resolve) => setTimeout(resolve, 100));
}
console.log('it ends');
const rows = readFileSync('data/sample_submission.csv', 'utf8');
writeFileSync('submission.csv', rows);
`;

function scripted({ body }: Asked): Answer {
  if (roleOf(body) !== 'agent') return saying('{"lessons":[]}');
  const talk = body.messages as { role: string }[];
  const turn = talk.filter(({ role }) => role === 'assistant').length;
  const steps: [string, Record<string, unknown>][] = [
    ['write_file', { path: 'main.mjs', content: program() }],
    ['run', { command: ['node', '-e', `console.log("looks ${KEY}")`] }],
    ['train', {}],
    ['submit', {}],
  ];
  const [name, args] = steps[Math.min(turn, 3)]!;
  const call = { id: `call-${turn}`, type: 'function', function: { name, arguments: JSON.stringify(args) } };
  const message = { role: 'assistant', content: '', tool_calls: [call] };
  return {
    choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
    usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
  } as Answer;
}

let folder: ReturnType<typeof emptyFolder>;
let endpoint: Endpoint;
const at = (...names: string[]) => path.join(folder.dir, ...names);
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir, { only: ['s1', 'v1', 'f1'], turns: 8, jobs: 3 });
  rmSync(at('genomes', 'cool'), { recursive: true });
  // Without bubblewrap, so that a job can be told from here when to end.
  mkdirSync(at('bin'));
  for (const program of ['sh', 'setpriv', 'prlimit']) {
    const file = ['/usr/bin', '/bin']
      .map((dir) => path.join(dir, program))
      .find((found) => existsSync(found));
    if (file) symlinkSync(file, at('bin', program));
  }
  endpoint = await startEndpoint({ key: KEY, answer: scripted });
});
afterAll(async () => {
  await endpoint.close();
  folder.remove();
});

const env = () => ({ OPENAI_BASE_URL: endpoint.url, OPENAI_API_KEY: KEY, PATH: at('bin') });
function search(out: string, during?: (child: ChildProcess) => void): Promise<Ran> {
  const args = [
    ...['--suite', 'suite', '--genomes', 'genomes', '--population', '2', '--generations', '1', '--out', out],
    ...['--model', 'small', '--allow-unpriced', '--unsafe-no-sandbox', '--no-job-cache', '--workers', '1'],
    ...['--first-tasks', '1', '--finalists', '1', '--final-repeats', '3', '--sealed-repeats', '5'],
  ];
  return evolve(args, { cwd: folder.dir, env: env() }, during);
}
const read = (...args: string[]) => evolve(args, { cwd: folder.dir, env: env() });
const live = (run: string) => JSON.parse(readFileSync(at(run, 'live.json'), 'utf8')) as Live;

/**
 * Waits until a training of the run has told something and is shown in its slot; gives its name. Jobs of the agent's `run` tool, which
 * tell something only where the machine is slow, come and go before.
 */
async function told(run: string): Promise<string> {
  for (let looks = 0; looks < 3000; looks++) {
    const running = existsSync(at(run, 'live.json'))
      ? live(run).jobs.filter(({ slot }) => slot !== null)
      : [];
    const training = running.find(({ identity }) => /^tick/m.test(toldBy(run, identity)));
    if (training) return training.identity;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no training of ${run} told anything`);
}

/** What a job under way has told, nothing where it has told nothing yet, or has ended. */
function toldBy(run: string, identity: string): string {
  try {
    return readFileSync(at(run, 'live', `${identity}.log`), 'utf8');
  } catch {
    return '';
  }
}

const ticksIn = (text: string) =>
  [...text.matchAll(/^tick (\d+) \[OPENAI_API_KEY\]\[2J$/gm)].map(([, n]) => Number(n));
const withoutEscapes = (text: string) => text.replaceAll('\u001b', '');
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

/** `evolve logs … -f` beside the run; `tells` resolves at its first words. */
function follow(run: string, job: string, then: (child: ChildProcess) => void = () => {}) {
  let tells = () => {};
  const told = new Promise<void>((resolve) => {
    tells = resolve;
  });
  const ended = evolve(['logs', run, job, '-f'], { cwd: folder.dir }, (child) => {
    child.stdout!.once('data', () => {
      tells();
      then(child);
    });
    child.once('close', tells);
  });
  return { tells: told, ended };
}

describe('a run whose jobs take seconds', () => {
  const seen: { [what: string]: Ran } = {};
  let ran: Ran;
  let identity = '';
  let place = '';
  let files = '';
  let running: Status;
  beforeAll(async () => {
    const ends = search('run');
    identity = await told('run');
    const { asker } = live('run').jobs.find((job) => job.identity === identity)!;
    place = `${asker!.trial}/${asker!.job}`;
    const follower = follow('run', identity.slice(0, 6));
    const stopped = follow('run', place, (child) => child.kill('SIGINT'));
    running = JSON.parse((await read('status', 'run', '--json')).stdout);
    seen.status = await read('status', 'run');
    seen.list = await read('logs', 'run');
    seen.sofar = await read('logs', 'run', identity);
    files =
      readFileSync(at('run', 'live.json'), 'utf8') +
      readFileSync(at('run', 'live', `${identity}.log`), 'utf8');
    await follower.tells;
    seen.stopped = await stopped.ended;
    // The job has told more since.
    const log = at('run', 'live', `${identity}.log`);
    const { length: shown } = ticksIn(seen.sofar.stdout);
    while (ticksIn(withoutEscapes(readFileSync(log, 'utf8'))).length <= shown)
      await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(at('go'), '');
    seen.follower = await follower.ended;
    ran = await ends;
  });

  test('status says what runs, for whom and where, while another process writes the run', () => {
    expect(running).toMatchObject({ run: 'run', state: 'running', generations: 1, stop: null });
    expect(running.slots!.busy).toBeGreaterThan(0);
    expect(running.stage!.trials).toBeGreaterThan(0);
    const job = running.jobs.find((one) => one.identity === identity);
    expect(job).toMatchObject({ gpus: 0, lineage: 'baseline', job: 2, slot: expect.stringMatching(/^cpu-/) });
    expect(existsSync(at('run', 'genomes', job!.candidate!))).toBe(true);
    expect(seen.status!.stdout).toMatch(
      /^run: running \(process \d+ on .*\d of \d+ slots? busy; \d+ jobs? running/s,
    );
    expect(seen.list!.stdout).toMatch(new RegExp(`^${identity.slice(0, 12)} .* running`, 'm'));
  });

  test('logs tells a beginning of what the job prints; -f all of it, until it ends', () => {
    const sofar = ticksIn(seen.sofar!.stdout);
    expect(sofar.length).toBeGreaterThan(0);
    expect(sofar).toEqual(upTo(sofar.length));
    const followed = ticksIn(seen.follower!.stdout);
    expect(followed.length).toBeGreaterThan(sofar.length);
    expect(followed).toEqual(upTo(followed.length));
    expect(seen.follower!.stdout).toMatch(/^it ends$/m);
    expect(seen.follower!.code).toBe(0);
    expect(seen.follower!.stderr).toMatch(new RegExp(`job ${identity.slice(0, 12)} ended: done`));
    expect(seen.stopped!.code).toBe(130);
  });

  test('no key stands in what is shown of a job, and nothing that steers a terminal', () => {
    expect(files).toContain('tick 1 [OPENAI_API_KEY]');
    expect(files).not.toContain(KEY);
    expect(
      Object.values(seen).filter(({ stdout }) => stdout.includes(KEY) || stdout.includes('\u001b')),
    ).toEqual([]);
  });

  test('when it has ended, nothing live is left, and status and logs go on to tell', async () => {
    expect(ran.code).toBe(0);
    expect(readdirSync(at('run')).filter((name) => name.startsWith('live'))).toEqual([]);
    const status: Status = JSON.parse((await read('status', 'run', '--json')).stdout);
    expect(status).toMatchObject({ state: 'finished', process: null, slots: null, jobs: [], generation: 1 });
    expect(status.used.lineages.map(({ lineage }) => lineage)).toContain('baseline');
    expect(status.used.all.jobs).toBeGreaterThan(1);
    expect(status.used.all.cpuMs).toBeGreaterThan(1000);
    const { code, stdout } = await read('logs', 'run', place);
    expect(code).toBe(0);
    expect(ticksIn(stdout)).toEqual(ticksIn(seen.follower!.stdout));
    const followed = await read('logs', 'run', place, '-f');
    expect(followed).toMatchObject({ code: 0, stdout });
    expect((await read('logs', 'run', identity)).stdout).toMatch(/^it ends$/m);
  });
});

test('a run that was killed: status says so, -f ends, and resume sweeps what was left', async () => {
  rmSync(at('go'));
  let process: ChildProcess | undefined;
  const ends = search('killed', (child) => {
    process = child;
  });
  const identity = await told('killed');
  const follower = follow('killed', identity);
  await follower.tells;
  process!.kill('SIGKILL');
  await ends;
  expect(await follower.ended).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/the run was killed, and job/),
  });
  expect(existsSync(at('killed', 'live.json'))).toBe(true);
  const status: Status = JSON.parse((await read('status', 'killed', '--json')).stdout);
  expect(status).toMatchObject({ state: 'killed', jobs: [], slots: null });
  expect((await read('status', 'killed')).stdout).toMatch(/killed \(process \d+ .*evolve resume goes on/);
  expect((await read('logs', 'killed', identity)).stderr).toMatch(/no job|no log of job/);
  writeFileSync(at('go'), '');
  const resumed = await evolve(['resume', 'killed', '--unsafe-no-sandbox', '--allow-unpriced'], {
    cwd: folder.dir,
    env: env(),
  });
  expect(resumed.code).toBe(0);
  expect(readdirSync(at('killed')).filter((name) => name.startsWith('live'))).toEqual([]);
});

describe('bad input', () => {
  beforeAll(() => {
    mkdirSync(at('empty'));
    mkdirSync(at('old', 'trials', '0123456789abcdef', 'logs'), { recursive: true });
    writeFileSync(at('old', 'journal.jsonl'), readFileSync(at('run', 'journal.jsonl')));
    writeFileSync(
      at('old', 'trials', '0123456789abcdef', 'logs', 'job-1.log'),
      '$ node main.mjs\nold words\n',
    );
    const line = {
      kind: 'done',
      hit: false,
      waitMs: 1,
      runMs: 60_000,
      slot: 'cpu-0',
      at: '2026-01-01T00:00:00.000Z',
    };
    const lines = ['aaaa1111', 'aaaa2222', 'bbbb3333'].map((identity) =>
      JSON.stringify({ identity, ...line }),
    );
    writeFileSync(at('old', 'jobs.jsonl'), `${lines.join('\n')}\n{"identity":"cc`);
  });

  test.each([
    [['status', 'nowhere'], /there is no run nowhere/],
    [['status', 'empty'], /empty is not a run/],
    [['logs', 'nowhere'], /there is no run nowhere/],
    [['logs', 'empty', 'abcd'], /empty is not a run/],
    [['logs', 'old', '-f'], /-f needs a job to follow/],
    [['logs', 'old', 'abc'], /'abc' names no job; give at least 4 hex digits/],
    [['logs', 'old', '../../x/1'], /names no job/],
    [['logs', 'old', 'bbbb4'], /old has no job bbbb4 \(did you mean "bbbb3"\?\)/],
    [['logs', 'old', 'aaaa'], /'aaaa' fits 2 jobs; give more of it: aaaa1111, aaaa2222/],
    [['logs', 'old', 'bbbb3333'], /version of evolve that did not note whose job bbbb3333 is; give TRIAL\/N/],
    [['logs', 'old', '0123/2'], /trial 0123456789abcdef has no job 2/],
    [['logs', 'old', 'ffff/1'], /old has no trial ffff/],
  ])('evolve %j', async (args, line) => {
    const { code, stdout, stderr } = await read(...args);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('a run of an older version, its last line torn: what it tells is told', async () => {
    expect((await read('logs', 'old', '0123/1')).stdout).toBe('$ node main.mjs\nold words\n');
    expect((await read('logs', 'old')).stdout).toMatch(/^bbbb3333 +– +– +done +1 min 0 s$/m);
    const status: Status = JSON.parse((await read('status', 'old', '--json')).stdout);
    expect(status.used.lineages).toMatchObject([{ lineage: 'unknown', jobs: 3, cpuMs: 180_000, gpuMs: 0 }]);
  });
});
