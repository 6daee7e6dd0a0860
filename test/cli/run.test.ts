import { type ChildProcess, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smallWorld } from '../fixtures/small-world.ts';
import { emptyFolder, evolve, evolveHeld } from './evolve.ts';
import { decisionsOf, differences, eventsOf, resultsOf, triedIn } from './journal.ts';

const SMALL = [
  ...['--suite', 'suite', '--genomes', 'genomes', '--population', '4', '--generations', '2', '--seed', '3'],
  ...['--finalists', '2', '--final-repeats', '3', '--sealed-repeats', '5'],
];

let folder: ReturnType<typeof emptyFolder>;
const at = (name: string) => path.join(folder.dir, name);
const small = (out: string, more: string[] = []) =>
  evolve([...SMALL, '--out', out, ...more], { cwd: folder.dir });
/** The same, held as soon as its journal has so many lines, until `then` has resolved. */
const held = (out: string, lines: number, then: (child: ChildProcess) => void | Promise<void>) =>
  evolveHeld([...SMALL, '--out', out], { cwd: folder.dir, file: `${out}/journal.jsonl`, lines }, then);

/** The run that nothing happens to; the others are compared with it. It also fills the cache of jobs. */
let calm: Awaited<ReturnType<typeof small>>;
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir);
  calm = await small('calm', ['--json', '--workers', '2']);
});
afterAll(() => folder.remove());

/** Command lines of processes that still work below this test's folder. */
function leftOver(): string[] {
  const all = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(folder.dir) && !line.includes('ps -eo'));
}

test('a run prints one JSON document, a line a generation, no escape codes, and leaves its files', () => {
  expect(calm.code).toBe(0);
  const headline = JSON.parse(calm.stdout);
  expect(headline).toMatchObject({ run: 'calm', seed: 3, stop: 'finished', generations: 2 });
  expect(headline.trials.run).toBe(new Set(triedIn(at('calm'))).size);
  expect(headline).toMatchObject({ champion: { sealed: expect.any(Number) }, cost: { usd: 0 } });
  expect(headline.gain.ci95).toHaveLength(2);
  expect(['better', 'worse', 'cannot tell apart']).toContain(headline.verdict);
  expect(calm.stderr).toMatch(/^generation 1\/2: .*^generation 2\/2: /ms);
  expect(calm.stderr + calm.stdout).not.toContain('\u001b');
  for (const file of ['journal.jsonl', 'run.json', 'jobs.jsonl', 'memory.md', 'report.md', 'report.json']) {
    expect(existsSync(at(`calm/${file}`)), file).toBe(true);
  }
  expect(existsSync(at('calm/control.json')), 'a comparison that nobody asked for').toBe(false);
});

test('no sealed trial stands before the champion is frozen', () => {
  const events = eventsOf(at('calm'));
  const frozen = events.findIndex((event) => event.type === 'champion');
  const sealed = events.findIndex((event) => event.type === 'tried' && event.trial.role === 'sealed');
  expect(frozen).toBeGreaterThan(0);
  expect(sealed).toBeGreaterThan(frozen);
});

test('one worker or four, a warm cache or none: the same journal', async () => {
  expect((await small('one', ['--workers', '1', '--concurrency', '1', '--quiet'])).code).toBe(0);
  expect((await small('four', ['--workers', '4', '--concurrency', '16', '--no-job-cache'])).code).toBe(0);
  expect(differences(decisionsOf(at('calm')), decisionsOf(at('one')))).toEqual([]);
  expect(differences(decisionsOf(at('calm')), decisionsOf(at('four')))).toEqual([]);
});

test('killed again and again and resumed, it is the same run, and no known trial runs twice', async () => {
  const lines = eventsOf(at('calm')).length;
  for (const share of [0.02, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 0.98]) {
    await held('killed', Math.round(share * lines), (child) => void child.kill('SIGKILL'));
  }
  expect((await small('killed')).code).toBe(0);
  expect(differences(resultsOf(at('calm')), resultsOf(at('killed')))).toEqual([]);
  const tried = triedIn(at('killed'));
  expect(new Set(tried).size).toBe(tried.length);
  expect(leftOver()).toEqual([]);
});

test('Ctrl-C once stops in good order with exit code 130, and resume goes on to the same run', async () => {
  const stopped = await held('stopped', 20, (child) => void child.kill('SIGINT'));
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toMatch(/evolve resume stopped/);
  expect(leftOver()).toEqual([]);
  expect(
    eventsOf(at('stopped')).some((event) => event.type === 'tried' && event.outcome.kind === 'lost'),
  ).toBe(false);
  const resumed = await evolve(['resume', 'stopped', '--json'], { cwd: folder.dir });
  expect(resumed.code).toBe(0);
  expect(differences(resultsOf(at('calm')), resultsOf(at('stopped')))).toEqual([]);
});

test('Ctrl-C twice leaves at once and loses nothing that was journalled', async () => {
  let kept: string[] = [];
  const left = await held('left', 20, (child) => {
    child.kill('SIGINT');
    kept = triedIn(at('left'));
    child.stderr?.on('data', (text: string) => /stopping/.test(text) && child.kill('SIGINT'));
  });
  expect(left.code).toBe(130);
  expect((await small('left')).code).toBe(0);
  expect(triedIn(at('left'))).toEqual(expect.arrayContaining(kept));
  expect(differences(resultsOf(at('calm')), resultsOf(at('left')))).toEqual([]);
});

describe('an --out that exists', () => {
  test('and is finished prints its result and runs nothing', async () => {
    const before = readFileSync(at('calm/journal.jsonl'), 'utf8');
    const again = await small('calm', ['--json']);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse(calm.stdout));
    expect(readFileSync(at('calm/journal.jsonl'), 'utf8')).toBe(before);
  });

  test.each([
    [['--seed', '4'], /--seed was 3, is 4/],
    [['--population', '5'], /--population was 4, is 5/],
    [['--final-repeats', '4'], /--final-repeats was 3, is 4/],
  ])('made with other settings is refused: %j', async (more, line) => {
    const before = readFileSync(at('calm/journal.jsonl'), 'utf8');
    const { code, stderr } = await small('calm', more);
    expect(code).toBe(2);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(readFileSync(at('calm/journal.jsonl'), 'utf8')).toBe(before);
  });

  test('with a damaged line in the middle is refused with its number; a torn last line is not', async () => {
    const text = readFileSync(at('calm/journal.jsonl'), 'utf8');
    const lines = text.split('\n');
    const torn = at('torn');
    await smallCopy('torn', `${text}{"seq":9`);
    expect((await small('torn', ['--quiet'])).code).toBe(0);
    expect(readFileSync(path.join(torn, 'journal.jsonl'), 'utf8').startsWith(text)).toBe(true);
    lines[4] = lines[4]!.replace('"type"', '"tipe"');
    await smallCopy('damaged', lines.join('\n'));
    const { code, stderr } = await small('damaged');
    expect(code).toBe(2);
    expect(stderr).toMatch(/damaged\/journal\.jsonl line 5 is damaged/);
  });

  /** A run with this journal. */
  async function smallCopy(name: string, journal: string): Promise<void> {
    execFileSync('cp', ['-r', at('calm'), at(name)]);
    writeFileSync(at(`${name}/journal.jsonl`), journal);
  }

  test('that another process writes is refused', async () => {
    let second: Awaited<ReturnType<typeof small>> | undefined;
    await held('busy', 10, async (child) => {
      second = await small('busy');
      child.kill('SIGKILL');
    });
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second!.stderr).toMatch(/busy is being written by process \d+/);
  });

  test('that holds something else is refused', async () => {
    expect(await small('suite')).toMatchObject({ code: 2 });
  });
});

describe('limits', () => {
  test('a budget of trials ends the run with exit code 3, usable, and it can go on', async () => {
    const short = await small('short', ['--budget-trials', '16', '--json']);
    expect(short.code).toBe(3);
    expect(JSON.parse(short.stdout)).toMatchObject({
      stop: 'budget-trials',
      trials: { run: 16 },
      gain: null,
    });
    expect((await evolve(['show', 'short', 'baseline'], { cwd: folder.dir })).code).toBe(0);
    expect((await evolve(['resume', 'short', '--quiet'], { cwd: folder.dir })).code).toBe(0);
    expect(differences(resultsOf(at('calm')), resultsOf(at('short')))).toEqual([]);
  });

  test('after a generation it says how to go on, and how to end with what there is: both as they stand', async () => {
    const stopped = await small('two ways', ['--budget-trials', '20']);
    expect(stopped.code).toBe(3);
    expect(stopped.stderr).toMatch(/no verdict yet, and there are two ways to one/);
    const commands = stopped.stderr.split('\n').flatMap((line) => /^ {4}evolve (.*)$/.exec(line)?.[1] ?? []);
    expect(commands).toHaveLength(2);
    // As a shell reads them.
    const words = (command: string) =>
      execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
        .trimEnd()
        .split('\n');
    const run = (command: string, out: string) => {
      execFileSync('cp', ['-r', at('two ways'), at(out)]);
      const given = words(command).map((word) => (word === 'two ways' ? out : word));
      expect(given).toContain(out);
      return evolve([...given, '--json'], { cwd: folder.dir });
    };
    expect(await run(commands[0]!, 'went-on')).toMatchObject({ code: 0 });
    expect(differences(resultsOf(at('calm')), resultsOf(at('went-on')))).toEqual([]);

    expect(commands[1]).toMatch(/^resume 'two ways' --generations 1 --budget-trials \d+$/);
    const { code, stdout } = await run(commands[1]!, 'ended');
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ stop: 'finished', generations: 1 });
    expect(result.verdict).not.toBe('not measured');
    expect(result.trials.run).toBeLessThanOrEqual(Number(/\d+$/.exec(commands[1]!)));
    // Its sealed tasks are open now: whoever extends it gets no second look with another champion.
    const longer = await evolve(['resume', 'ended', '--generations', '2', '--json'], { cwd: folder.dir });
    expect(longer.code).toBe(0);
    const seen = eventsOf(at('ended')).flatMap((event) =>
      event.type === 'tried' && event.trial.role === 'sealed' ? [event.trial.genome] : [],
    );
    expect(new Set(seen).size).toBeLessThanOrEqual(2);
  }, 300_000);

  test('so does a limit of time', async () => {
    const short = await small('timed', ['--max-time', '1s', '--no-job-cache', '--json']);
    expect(short.code).toBe(3);
    expect(JSON.parse(short.stdout)).toMatchObject({ stop: 'max-time' });
  });
});

test('a larger --generations extends a finished run', async () => {
  execFileSync('cp', ['-r', at('calm'), at('longer')]);
  const { code, stdout } = await evolve(['resume', 'longer', '--generations', '3', '--json'], {
    cwd: folder.dir,
  });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ stop: 'finished', generations: 3 });
  // The baseline met the sealed tasks on these seeds before.
  expect(JSON.parse(stdout).trials.cached).toBeGreaterThanOrEqual(8);
});

test('--dry-run tells the plan and touches nothing', async () => {
  const before = folder.files().length;
  const { code, stdout } = await small('nothing', ['--dry-run', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    suite: { name: 'small', tasks: { search: 4, validation: 1, sealed: 3 } },
    founders: ['baseline', 'cool'],
    out: 'nothing',
  });
  expect(folder.files()).toHaveLength(before);
});

test('report, compare and show read a run, with --json one document each', async () => {
  const read = async (...args: string[]) => {
    const { code, stdout } = await evolve([...args, '--json'], { cwd: folder.dir });
    expect(code).toBe(0);
    return JSON.parse(stdout);
  };
  const headline = JSON.parse(calm.stdout);
  expect(await read('report', 'calm')).toMatchObject({ gain: headline.gain, trials: headline.trials });
  const shown = await read('show', 'calm', 'champion');
  expect(shown.candidate.id).toBe(headline.champion.id);
  expect((await read('show', 'calm', headline.champion.id.slice(0, 6))).genome).toEqual(shown.genome);
  const sides = await read('compare', 'calm#cool', 'calm#baseline');
  expect(sides.map((side: { founder: string }) => side.founder)).toEqual(['cool', 'baseline']);
  expect((await evolve(['show', 'calm', 'zzz'], { cwd: folder.dir })).code).toBe(2);
  expect((await evolve(['compare', 'calm#nobody'], { cwd: folder.dir })).stderr).toMatch(
    /no lineage 'nobody'/,
  );
});
