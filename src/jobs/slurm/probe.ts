import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import type { Equipped } from '../sandbox/python.ts';
import type { SandboxLevel } from '../sandbox/sandbox.ts';
import { writeWhole } from './job-folder.ts';
import { nodeCommand, writeStarter } from './node-command.ts';
import { type Answer, findModules, type Question, readAnswer } from './node-probe.ts';
import { NODE_HINT, SETTINGS_HINT, waiter } from './probe-wait.ts';
import { type Slurm, slurmPrograms } from './programs.ts';
import { type Asking, fixedOptions, namesOf, placeOptions, resourceOptions } from './request.ts';
import type { SlurmOptions, SlurmSettings } from './settings.ts';
import { openSubmissions } from './submissions.ts';

/** What the probe must know of a task; a `Task` has it. */
export type ProbeTask = {
  id: string;
  publicDir: string;
  runtime: 'node' | 'python';
  modules: string[];
  limits: { jobSeconds: number; memoryMb: number; clock: 'cpu' | 'wall'; gpus: number; cpus?: number };
};

/** What a node of the cluster has. */
export type Probed = { node: string; nodeVersion: string; sandbox: SandboxLevel };

/** How long the small job may run, seconds; where a module is large and the disk slow, to import it takes a while. */
const PROBE_SECONDS = 300;

/**
 * Finds out whether a run can use the cluster, by a small job of its own that asks for as much as the smallest task, but for
 * GPUs where the cluster lets it: that the node sees the same folder, has this Node and this program, and what the
 * tasks' jobs read. Null where jobs of this run are there already, which a further one would have to wait for. Throws
 * `UserError`: exit code 2 for what the user must mend, 4 for a cluster that is away. Aborting `signal` cancels the job
 * and rejects.
 */
export async function probeSlurm(
  options: SlurmOptions,
  tasks: readonly ProbeTask[],
  signal: AbortSignal = new AbortController().signal,
): Promise<Probed | null> {
  const { folder, settings, run } = options;
  const slurm = slurmPrograms(options);
  const dir = join(folder, 'probe');
  const word = randomBytes(4).toString('hex');
  const name = `${namesOf(run)}probe${word}`;
  const wait = waiter(options, slurm, name, signal);
  await wait.answer();
  if (mayHaveJobs(folder)) return null;
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  try {
    const script = await writeStarter(folder);
    const common = [`--job-name=${name}`, `--chdir=${folder}`, '--output=/dev/null', ...fixedOptions];
    for (const { task, options: resources } of requests(tasks, settings)) {
      const all = [...common, ...resources, ...placeOptions(settings)];
      const { kind, said } = await refusal(slurm, ['--test-only', ...all, script]);
      if (kind === 'refused' || (kind === 'full' && isTooMuch(said)))
        throw new UserError(`Slurm refuses what task ${task} asks for: ${said}`, SETTINGS_HINT);
    }
    const python = tasks.filter(({ runtime }) => runtime === 'python');
    const modules = python.length === 0 ? null : [...new Set(python.flatMap((task) => task.modules))];
    const question: Question = { word, folders: [...new Set(tasks.map((task) => task.publicDir))], modules };
    writeWhole(join(dir, 'question.json'), JSON.stringify(question));
    const submit = (asking: Asking) =>
      refusal(slurm, [
        ...['--parsable', '--array=0-0', `--comment=evolve run ${run}, probe`, ...common],
        ...resourceOptions(asking, settings),
        ...placeOptions(settings),
        ...[script, ...nodeCommand('probe', dir, word)],
      ]);
    const small = smallest(tasks);
    let { kind, said } = await submit({ ...small, gpus: 0 });
    // Some partitions take only what asks for a GPU.
    if (kind === 'refused' && small.gpus > 0) ({ kind, said } = await submit(small));
    if (kind === 'refused') throw new UserError(`Slurm refuses jobs: ${said}`, SETTINGS_HINT);
    if (kind === 'full') throw new UserError(`Slurm takes no more jobs now: ${said}`, 'try again later', 4);
    const here = findModules(modules);
    const answer = await wait.job(() => readAnswer(dir));
    check(answer);
    compare(answer, (await here).versions);
    const { node, nodeVersion, sandbox } = answer;
    return { node, nodeVersion, sandbox };
  } finally {
    await wait.end();
    await rm(dir, { recursive: true, force: true }).catch(() => {});
  }
}

/** Has an earlier process of this run submitted what Slurm may still have? */
function mayHaveJobs(folder: string): boolean {
  if (!existsSync(join(folder, 'submissions.jsonl'))) return false;
  const submissions = openSubmissions(folder);
  submissions.close();
  return submissions.mayBeLeft() && submissions.all().some(({ ids }) => ids.length > 0);
}

/** Does a limit on what one job may ask for stand against it, and not one on how many there may be? */
function isTooMuch(said: string): boolean {
  return said.includes('violates accounting/QOS policy') && !/max\w*submit/i.test(said);
}

function check({ node, nodeVersion, faults }: Answer): void {
  const [fault] = faults;
  if (fault !== undefined) {
    throw new UserError(
      `on node ${node}: ${fault}`,
      'the suite and what its tasks need must be on every node',
    );
  }
  const [there, here] = [nodeVersion, process.versions.node].map((version) => version.split('.')[0]);
  if (there !== here) {
    throw new UserError(
      `node ${node} has Node ${nodeVersion}, this machine ${process.versions.node}`,
      NODE_HINT,
    );
  }
}

/** A job is known by what it computes with here. What this machine has none of is not compared; nor is for which device a module was built. */
function compare({ node, versions }: Answer, here: Equipped['versions']): void {
  for (const [name, version] of Object.entries(here)) {
    const there = versions[name];
    if (there === undefined || there.split('+')[0] === version.split('+')[0]) continue;
    throw new UserError(
      `node ${node} has ${name} ${there}, this machine ${version}`,
      'jobs must find the same everywhere: name one Python in EVOLVE_PYTHON, on a disk that all share',
    );
  }
}

/** What the tasks ask for, each once, with one that does. */
function requests(
  tasks: readonly ProbeTask[],
  settings: SlurmSettings,
): { task: string; options: string[] }[] {
  const found = new Map<string, { task: string; options: string[] }>();
  for (const task of tasks) {
    const options = resourceOptions(askingOf(task), settings);
    if (!found.has(options.join(' '))) found.set(options.join(' '), { task: task.id, options });
  }
  return [...found.values()];
}

function smallest(tasks: readonly ProbeTask[]): Asking {
  const sizeOf = ({ gpus, cpus = 1, memoryMb }: ProbeTask['limits']) => gpus * 1e9 + cpus * 1e6 + memoryMb;
  const [task] = [...tasks].sort((a, b) => sizeOf(a.limits) - sizeOf(b.limits));
  const { limits, ...asking } = askingOf(task as ProbeTask);
  return {
    ...asking,
    clock: 'wall',
    limits: { seconds: PROBE_SECONDS, memoryMb: Math.max(512, limits.memoryMb) },
  };
}

function askingOf({ limits }: ProbeTask): Asking {
  const { gpus, cpus = 1, clock, jobSeconds, memoryMb } = limits;
  return { gpus, cpus, ...(clock === 'wall' && { clock }), limits: { seconds: jobSeconds, memoryMb } };
}

async function refusal(slurm: Slurm, args: string[]): Promise<{ kind: string; said: string }> {
  const answer = await slurm('sbatch', args);
  return answer.kind === 'ok' ? { kind: 'ok', said: '' } : answer;
}
