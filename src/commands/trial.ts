import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { JOB_CACHE, readConfig } from '../config.ts';
import { messageOf, UserError } from '../errors.ts';
import { loadGenome } from '../genome/load.ts';
import type { JobLive } from '../jobs/runner.ts';
import { sandboxLevel } from '../jobs/sandbox/sandbox.ts';
import { refuseImpossible } from '../jobs/slots/request.ts';
import { counted, span } from '../report/format.ts';
import type { Given } from '../settings.ts';
import { didYouMean } from '../suggest.ts';
import { loadSuite } from '../suite/load.ts';
import type { Role, Suite, Task } from '../suite/suite.ts';
import { startTrialProgress } from '../trial-progress.ts';
import { type Context, EXIT } from './context.ts';
import { clearLeft, haltOfJobs, openJobs } from './jobs.ts';
import { measure } from './measure.ts';
import { type Measurement, measurementText } from './measurement.ts';
import { type Halt, openModels } from './models.ts';
import { partiesOf } from './parties.ts';
import { partyLines } from './party-lines.ts';
import { reachParties } from './reach-parties.ts';
import { readRepeats } from './repeats.ts';
import { withRuntime } from './runtime.ts';
import { checkCassette, checkSandbox, refuseSecrets } from './safety.ts';
import { openSharedFolder, sweep } from './shared-folder.ts';

const ROLES: Role[] = ['search', 'validation', 'sealed'];

/**
 * `evolve trial --genome DIR --suite DIR [--task ID] [--role ROLE] [--repeats K] [--keep DIR]`: no search, just
 * measure one genome, on search and validation tasks unless told otherwise. Sealed tasks are refused (exit 5).
 */
export async function trial(flags: Given, context: Context): Promise<number> {
  const { genome: genomeDir, task, role, repeats, keep, json, quiet, ...settings } = flags;
  if (typeof genomeDir !== 'string') {
    throw new UserError('no --genome is given', 'give the folder of a genome, such as genomes/baseline');
  }
  const config = await readConfig(settings);
  const times = repeats === undefined ? 3 : readRepeats(repeats);
  const genome = await loadGenome(genomeDir);
  const plain = await loadSuite(config.suite);
  const planned = partiesOf(config);
  refuseSecrets(genomeDir, genome);
  // Until there is a bar, which a line must not tear.
  let note = context.note;
  const say = quiet === true ? () => {} : (line: string) => note(`evolve: ${line}`);
  const chosen = chooseTasks(plain, task, role);
  if (config.jobs === 'local') await refuseImpossible(chosen);
  checkCassette(config);
  const parties = await reachParties(planned, config, say);
  if (config.jobs === 'local') checkSandbox(parties, config, await sandboxLevel(), say);
  const suite = await withRuntime({ ...plain, tasks: chosen }, config.jobs);
  const { tasks } = suite;
  const trialsDir = typeof keep === 'string' ? newFolder(keep) : null;
  for (const line of partyLines(parties, genome, config.replay)) say(line);
  const signal = context.interruption();
  const models = openModels(parties, config, null, signal, {
    paused: (reason) => say(`paused: ${reason}; going on as soon as it is back`),
    unpaused: (ms) => say(`going on after ${span(ms)}`),
    trouble: say,
  });
  const { profile } = parties.agent;
  let live: (news: JobLive) => void = () => {};
  // What a cluster shares with this machine; the temporary folder is seldom of that kind.
  const sharing =
    config.jobs === 'slurm' ? openSharedFolder(resolve(dirname(JOB_CACHE)), randomUUID()) : null;
  const shared = sharing?.dir ?? '';
  const hidden = [suite.dir, ...(trialsDir === null ? [] : [trialsDir])];
  const asked = {
    genome,
    genomeDir,
    suite,
    tasks,
    repeats: times,
    config,
    models,
    profile,
    trialsDir,
    signal,
  };
  let halt: Halt | null = null;
  let found: Measurement | null;
  try {
    const runner = await openJobs({
      config,
      parties,
      suite,
      hidden,
      shared,
      identity: null,
      resumable: false,
      say,
      signal,
      onLive: (news) => live(news),
    });
    const clear = (dir: string) => clearLeft({ config, say, identity: null, shared: dir });
    await sweep(sharing?.dead ?? [], clear, say);
    say(startLine(genomeDir, tasks.length, times));
    const progress = startTrialProgress({
      stream: process.stderr,
      quiet: quiet === true,
      trials: tasks.length * times,
      jobs: runner.stats,
      usd: () => models.ledger?.totals().usd ?? 0,
    });
    [note, live] = [progress.note, progress.job];
    found = await measure({ ...asked, runner, told: progress.tried }).finally(() => {
      progress.close();
      note = context.note;
      return runner.close();
    });
    halt = models.halt() ?? haltOfJobs(runner);
  } finally {
    models.close();
    sharing?.close();
  }
  if (found === null) {
    say('interrupted: a measurement is whole or none, so nothing is shown');
    return EXIT.interrupted;
  }
  // What was measured until then is paid for.
  if (halt) context.note(`evolve: stopped: ${halt.reason}; what follows is of the trials until then`);
  if (halt?.hint) context.note(`evolve: ${halt.hint}`);
  context.print(json === true ? JSON.stringify(found, null, 2) : measurementText(found));
  if (halt?.stop.startsWith('budget-')) return EXIT.limit;
  const whole = halt === null && found.tasks.every(({ mean }) => mean !== null);
  return whole ? EXIT.finished : EXIT.inconclusive;
}

function startLine(genome: string, tasks: number, repeats: number): string {
  return `measuring ${genome} on ${counted(tasks, 'task')}, ${counted(repeats, 'repeat')} each: ${counted(tasks * repeats, 'trial')}`;
}

/** Where trials are kept: a folder that is new or empty, as theirs would be lost among other files. */
function newFolder(keep: string): string {
  const dir = resolve(keep);
  if (!existsSync(dir)) return made(dir, keep);
  if (!statSync(dir).isDirectory())
    throw new UserError(`--keep ${keep} is a file`, 'give a new or empty folder');
  if (readdirSync(dir).length > 0)
    throw new UserError(`--keep ${keep} is not empty`, 'give a new or empty folder');
  return dir;
}

function made(dir: string, keep: string): string {
  try {
    mkdirSync(dir, { recursive: true });
    return dir;
  } catch (error) {
    throw new UserError(
      `--keep ${keep} cannot be made: ${messageOf(error)}`,
      'give a folder that can be written',
    );
  }
}

/** Search and validation tasks, or those of one role, or one task; sealed ones never. */
function chooseTasks(suite: Suite, id: unknown, role: unknown): Task[] {
  if (role !== undefined && !ROLES.includes(role as Role)) {
    const hint = `roles: ${ROLES.join(', ')}`;
    throw new UserError(`unknown --role '${role}'${didYouMean(String(role), ROLES)}`, hint);
  }
  if (role === 'sealed') throw sealed('sealed tasks');
  if (id === undefined) {
    const wanted = role === undefined ? ['search', 'validation'] : [role];
    const tasks = suite.tasks.filter((task) => wanted.includes(task.role));
    if (tasks.length > 0) return tasks;
    throw new UserError(`${suite.dir} has no ${wanted.join(' or ')} tasks`, 'give another --role');
  }
  const found = suite.tasks.find((task) => task.id === id);
  if (!found) {
    const ids = suite.tasks.map((task) => task.id);
    throw new UserError(
      `${suite.dir} has no task '${id}'${didYouMean(String(id), ids)}`,
      `tasks: ${ids.join(', ')}`,
    );
  }
  if (found.role === 'sealed') throw sealed(`task '${id}' is sealed`);
  if (role !== undefined && found.role !== role) {
    throw new UserError(`task '${id}' is a ${found.role} task`, 'leave --role out');
  }
  return [found];
}

/** Whoever can measure again and again on sealed tasks chooses by them in the end. */
function sealed(what: string): UserError {
  return new UserError(
    `${what}: only the end of a run scores those, once, for its champion and the baseline`,
    'measure on --role validation, or on a sister suite made by build-suite --seed S',
    5,
  );
}
