import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { UserError } from '../../src/errors.ts';
import type { Event, RunIdentity } from '../../src/event.ts';
import type { Genome } from '../../src/genome/genome.ts';
import { TOOLS } from '../../src/genome/genome.ts';
import { genomeId } from '../../src/genome/hash.ts';
import { rngAt } from '../../src/rng.ts';
import { apply, emptyState } from '../../src/state.ts';
import { rebuildCatalog } from '../../src/store/catalog.ts';
import { readJobsLog } from '../../src/store/jobs-log.ts';
import { readJournal } from '../../src/store/journal.ts';
import { checkOut, openRun, readRun } from '../../src/store/run-dir.ts';
import { IDENTITY, STARTED, syntheticEvents } from './events.ts';

const EVENTS = syntheticEvents(300);
const GENOME: Genome = {
  sampling: { temperature: 0.7, top_p: 0.9, frequency_penalty: 0, presence_penalty: 0, max_tokens: 2000 },
  rules: { first: { when: 'start', text: 'Look at the data first.' } },
  skills: { trees: { description: 'Trees.', body: 'Grow trees.\n', files: { 'references/a.md': 'a\n' } } },
  memory: { notes: 3, chars: 400, keep_failures: true },
  loop: { action: 'warn', window: 6, similarity: 0.9 },
  tools: Object.fromEntries(TOOLS.map((name) => [name, true])) as Genome['tools'],
  limits: { turns: 20, jobs: 6, improve_share: 0.5, check_share: 0.1 },
};
let root: string;
let dir: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'evolve-run-'));
  dir = join(root, 'run');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Everything below a folder: names, sizes, contents and times. */
function snapshot(folder: string): unknown {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [
      path,
      statSync(path).mtimeMs,
      statSync(path).isFile() ? readFileSync(path, 'utf8') : null,
    ]);
}

async function makeRun(events: readonly Event[] = EVENTS): Promise<void> {
  const run = await openRun(dir, IDENTITY);
  for (const event of events) run.record(event);
  await run.saveGenome(genomeId(GENOME), GENOME);
  await run.checkpoint();
  await run.close();
}

async function refusal(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => new Error('not refused'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe('openRun', () => {
  test('makes a run, and resumes it with the state it had', async () => {
    await makeRun();
    const run = await openRun(dir, IDENTITY);
    expect(run.state).toEqual(EVENTS.reduce(apply, emptyState()));
    expect(run.notice).toBeNull();
    expect(await run.loadGenome(genomeId(GENOME))).toEqual(GENOME);
    await run.close();
    expect(readdirSync(dir).sort()).toEqual(['genomes', 'journal.jsonl', 'run.json']);
  });

  test('without a folder it takes the first free number of the day', async () => {
    // Midnight must not fall between the two.
    vi.setSystemTime(new Date(2026, 0, 31, 23, 59));
    onTestFinished(() => void vi.useRealTimers());
    const first = await openRun(null, IDENTITY, { root });
    const second = await openRun(null, IDENTITY, { root });
    expect(first.dir).toBe(join(root, '2026-01-31-1'));
    expect(second.dir).toBe(join(root, '2026-01-31-2'));
    await first.close();
    await second.close();
  });

  test('another identity is refused, naming what differs, and nothing is touched', async () => {
    await makeRun();
    const before = snapshot(root);
    const other: RunIdentity = {
      ...IDENTITY,
      seed: 2,
      population: 8,
      suiteHash: 'cccc',
      search: { ...IDENTITY.search, firstTasks: 4 },
    };
    const error = await refusal(openRun(dir, other));
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain('--seed was 1, is 2');
    expect(error.message).toContain('--population was 4, is 8');
    expect(error.message).toContain('the contents of the suite was aaaa, is cccc');
    expect(error.message).toContain('--first-tasks was 3, is 4');
    expect(error.message).not.toContain('--model');
    expect(snapshot(root)).toEqual(before);
  });

  test('a suite that was only renamed is the same suite', async () => {
    await makeRun();
    await (await openRun(dir, { ...IDENTITY, suite: 'moved' })).close();
  });

  test('a damaged line in the middle is refused with its number, and nothing is touched', async () => {
    await makeRun();
    const path = join(dir, 'journal.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    lines[99] = lines[99]!.replace('"type"', '"typo"');
    writeFileSync(path, lines.join('\n'));
    const before = snapshot(root);
    expect(await refusal(openRun(dir, IDENTITY))).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('journal.jsonl line 100 is damaged'),
    });
    expect(snapshot(root)).toEqual(before);
  });

  test('a torn last line is dropped with a notice; a reader leaves it where it is', async () => {
    await makeRun();
    const path = join(dir, 'journal.jsonl');
    const whole = readFileSync(path, 'utf8');
    appendFileSync(path, '{"seq":3');
    const before = snapshot(root);
    expect((await readRun(dir)).notice).toContain(`line ${EVENTS.length + 1} was cut off`);
    expect(snapshot(root)).toEqual(before);
    const run = await openRun(dir, IDENTITY);
    expect(run.notice).toContain(`line ${EVENTS.length + 1} was cut off`);
    await run.close();
    expect(readFileSync(path, 'utf8')).toBe(whole);
  });

  test('a folder of something else is refused, and so is a file', async () => {
    mkdirSync(dir);
    writeFileSync(join(dir, 'thesis.txt'), 'years of work');
    const before = snapshot(root);
    expect((await refusal(openRun(dir, IDENTITY))).message).toContain('is not empty and holds no run');
    expect((await refusal(openRun(join(dir, 'thesis.txt'), IDENTITY))).message).toContain('is a file');
    expect((await refusal(openRun(join(dir, 'thesis.txt', 'x'), IDENTITY))).message).toContain('is a file');
    expect(snapshot(root)).toEqual(before);
  });

  test('a place that takes no folders is refused, and not tried for ever', async (context) => {
    context.skip(!existsSync('/proc/self'), 'there is no /proc here');
    await expect(openRun('/proc/evolve-run', IDENTITY)).rejects.toThrow(UserError);
  });

  test('one that was stopped before it began is begun again', async () => {
    await (await openRun(dir, IDENTITY)).close();
    const run = await openRun(dir, { ...IDENTITY, seed: 5 });
    expect(run.state.identity).toBeNull();
    await run.close();
    expect((await refusal(readRun(dir))).message).toContain('does not begin');
  });

  test('is refused while another opening has it, and nothing is touched', async () => {
    const run = await openRun(dir, IDENTITY);
    run.record(STARTED);
    const before = snapshot(root);
    expect((await refusal(openRun(dir, IDENTITY))).message).toContain(
      `is being written by process ${process.pid}`,
    );
    expect((await readRun(dir)).state.baseline).toBe('c0');
    expect(snapshot(root)).toEqual(before);
    await run.close();
  });

  test('a contradiction is refused and not journalled', async () => {
    const run = await openRun(dir, IDENTITY);
    run.record(STARTED);
    expect(() => run.record(STARTED)).toThrow(/started twice/);
    await run.close();
    await readRun(dir);
  });

  test('looking before a run changes nothing', async () => {
    expect((await checkOut(dir, IDENTITY)).exists).toBe(false);
    expect(existsSync(dir)).toBe(false);
  });
});

describe('what stands beside the journal', () => {
  test('a genome that was edited, or is missing, is an integrity failure', async () => {
    await makeRun();
    const id = genomeId(GENOME);
    const rule = join(dir, 'genomes', id, 'rules', 'first.md');
    writeFileSync(rule, readFileSync(rule, 'utf8').replace('first', 'last'));
    const { loadGenome } = await readRun(dir);
    expect(await refusal(loadGenome(id))).toMatchObject({ exitCode: 5 });
    expect(await refusal(loadGenome('absent'))).toMatchObject({ exitCode: 5 });
  });

  test('a genome left half-written by a crash is written anew', async () => {
    await makeRun();
    const id = genomeId(GENOME);
    rmSync(join(dir, 'genomes', id, 'rules'), { recursive: true });
    mkdirSync(join(dir, 'genomes', `${id}.1.tmp`));
    const run = await openRun(dir, IDENTITY);
    await run.saveGenome(id, GENOME);
    await run.close();
    expect(await (await readRun(dir)).loadGenome(id)).toEqual(GENOME);
    expect(readdirSync(join(dir, 'genomes'))).toEqual([id]);
  });

  test('a genome under another name is refused', async () => {
    const run = await openRun(dir, IDENTITY);
    await expect(run.saveGenome('other', GENOME)).rejects.toThrow(/cannot be saved as other/);
    await run.close();
  });

  test('run.json is what the journal gives, also after it was lost or broken', async () => {
    await makeRun();
    const expected = JSON.parse(JSON.stringify(rebuildCatalog((await readRun(dir)).state)));
    const path = join(dir, 'run.json');
    const read = () => JSON.parse(readFileSync(path, 'utf8'));
    expect(read()).toEqual(expected);
    expect(expected).toMatchObject({ candidates: 32, trials: { lost: 0 }, identity: IDENTITY });
    for (const harm of [() => rmSync(path), () => writeFileSync(path, '{"version":1,')]) {
      harm();
      const run = await openRun(dir, IDENTITY);
      await run.checkpoint();
      await run.close();
      expect(read()).toEqual(expected);
    }
  });

  test('jobs.jsonl goes on after a torn line, which is skipped', async () => {
    const log = async (n: number) => {
      const run = await openRun(dir, IDENTITY);
      run.logJob({ n });
      await run.close();
    };
    await log(1);
    appendFileSync(join(dir, 'jobs.jsonl'), '{"n":');
    await log(2);
    expect(await readJobsLog(join(dir, 'jobs.jsonl'))).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('a run that is being prepared is no wreck to whoever looks', async () => {
    const run = await openRun(dir, IDENTITY);
    await expect(readRun(dir)).rejects.toThrow(`has not begun yet: process ${process.pid} prepares it`);
    await run.close();
    await expect(readRun(dir)).rejects.toThrow(/does not begin with the start of a run/);
  });

  test('memory.md is replaced whole', async () => {
    const run = await openRun(dir, IDENTITY);
    await run.writeMemory('long text\n'.repeat(100));
    await run.writeMemory('short\n');
    await run.close();
    expect(readFileSync(join(dir, 'memory.md'), 'utf8')).toBe('short\n');
  });
});

describe('the machine fails', () => {
  const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

  /** Records all events that are not there yet; or so many of them at most, and then it waits to be killed. */
  function writer(...most: string[]): ChildProcess {
    const args = [fixture('record-events.mjs'), dir, join(root, 'events.json'), ...most];
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  test('killed again and again while it writes, it ends with the same journal', async () => {
    const events = syntheticEvents(1500);
    writeFileSync(join(root, 'events.json'), JSON.stringify(events));
    const rng = rngAt('kills');
    for (let kills = 0; kills < 8; kills++) {
      // However late the kill comes, the last events are left to who is not killed.
      const child = writer('150');
      const ended = once(child, 'exit');
      const [first] = await Promise.race([once(child.stdout!, 'data'), ended]);
      expect(String(first)).toMatch(/^\d+\n$/);
      await sleep(rng.int(15));
      child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
    }
    expect(await once(writer(), 'exit')).toEqual([0, null]);
    const read: Event[] = [];
    await readJournal(join(dir, 'journal.jsonl'), (event) => read.push(event));
    expect(read).toEqual(events);
    expect(readdirSync(dir).sort()).toEqual(['jobs.jsonl', 'journal.jsonl', 'run.json']);
  });

  /** Runs a command in a mount namespace of its own, where `mount` may be used; null where that is not allowed. */
  async function mounted(script: string, ...args: string[]): Promise<string | null> {
    const namespace = ['--mount', '--map-root-user'];
    if (spawnSync('unshare', [...namespace, 'true']).status !== 0) return null;
    const mount = 'mkdir -p "$0"; mount -t tmpfs -o size=192k tmpfs "$0" || exit 77';
    const command = ['sh', '-ec', `${mount}; ${script}`, join(root, 'disk'), process.execPath, ...args];
    const child = spawn('unshare', [...namespace, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
    });
    const [code] = await once(child, 'close');
    if (code === 77) return null;
    expect(code).toBe(0);
    return text;
  }

  test('a full disk ends the run with what is there intact and resumable', async (context) => {
    writeFileSync(join(root, 'events.json'), JSON.stringify(syntheticEvents(2000)));
    const output = await mounted('"$1" "$2" "$0" "$3"', fixture('fill-disk.mjs'), join(root, 'events.json'));
    if (output === null) return context.skip('this machine does not let us mount a small file system');
    const told = JSON.parse(output);
    const full = { name: 'UserError', message: expect.stringContaining('the disk is full'), exitCode: 4 };
    // Recording, recording again, commit, memory.md, checkpoint, close.
    expect(told.errors).toEqual([full, full, full, full, full, full]);
    expect(told).toMatchObject({
      endsInLine: true,
      whole: told.recorded,
      notice: null,
      after: told.recorded + 20,
    });
    expect(told.recorded).toBeGreaterThan(100);
    expect(told.files).toEqual(['journal.jsonl', 'run.json']);
  });

  test('a read-only folder is refused', async (context) => {
    const output = await mounted(
      'mount -o remount,ro tmpfs "$0"; "$1" "$2" "$0" "$3"',
      fixture('read-only.mjs'),
      JSON.stringify(IDENTITY),
    );
    if (output === null) return context.skip('this machine does not let us mount a small file system');
    const message = 'UserError 2 DIR cannot be written: the file system is read-only';
    expect(JSON.parse(output)).toEqual([message, message]);
  });
});
