import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SlurmProgram } from '../../../src/jobs/slurm/settings.ts';
import { endTree } from './processes.ts';
import { parseSubmission, type Submission, tell } from './words.ts';

/** A task of an array, as the cluster has it. `uid` is whose it is. */
export type FakeTask = {
  array: number;
  index: number;
  uid: number;
  submission: Submission;
  /** As it is; what is shown is `shows` first. */
  state: string;
  reason: string;
  /** States that squeue shows, one each time, before the true one. */
  shows: string[];
  restart: number;
  exitCode: number;
  child: ChildProcess | null;
  /** It is no job of ours: it stays as it is unless somebody cancels it. */
  strange: boolean;
  /** Neither squeue nor scontrol knows it any more. */
  forgotten: boolean;
};

export type Said = { code: number; stdout: string; stderr: string; signal?: NodeJS.Signals };
/** `at`: when it came, ms. */
export type Call = { program: SlurmProgram; args: string[]; env: Record<string, string>; at: number };
/** What one call does instead: `act` does what was asked, and may be left undone. Null waits for ever. */
export type Fault = (act: () => Said, call: Call) => Said | null | Promise<Said | null>;

export type FakeCluster = {
  /** For `SlurmOptions`. The programs find the cluster by `env`; tasks see no bubblewrap on that PATH. */
  programs: Record<SlurmProgram, string>;
  env: Record<string, string>;
  tasks: FakeTask[];
  calls: Call[];
  /** Makes the next calls of a program go wrong, one fault each. */
  fault(program: SlurmProgram, ...faults: Fault[]): void;
  /** Makes every further call of a program go wrong until it is given null. */
  broken: Partial<Record<SlurmProgram, Fault | null>>;
  /** Told of each task that is submitted, before it can start. */
  onTask: (task: FakeTask) => void;
  /** Tasks that start at once by themselves; 0 holds them all back. */
  slots: number;
  maxArraySize: number;
  accounting: 'none' | 'works' | 'stale';
  /** A job of somebody else, or of another run. */
  stranger(name: string, state: string, uid?: number): FakeTask;
  /** Starts what may start. */
  schedule(): void;
  /** Ends a task in this state, what runs of it too; `again` starts it anew as Slurm requeues. */
  end(task: FakeTask, state: string, again?: boolean): Promise<void>;
  close(): Promise<void>;
};

/** A pretended Slurm that really runs what is submitted; its programs are processes that ask it. */
export async function openCluster(): Promise<FakeCluster> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'evolve-slurm-')));
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  for (const tool of ['/usr/bin/env', '/bin/sh'])
    symlinkSync(realpathSync(tool), join(bin, tool.split('/').at(-1)!));
  symlinkSync(process.execPath, join(bin, 'node'));
  const client = join(import.meta.dirname, 'client.mjs');
  const names: SlurmProgram[] = ['sbatch', 'squeue', 'sacct', 'scancel', 'scontrol'];
  for (const name of names) symlinkSync(client, join(bin, name));
  const faults = new Map<SlurmProgram, Fault[]>();
  const open = new Set<Socket>();
  let arrays = 100;
  const nextArray = () => {
    arrays += 1000;
    return arrays;
  };

  const cluster: FakeCluster = {
    programs: Object.fromEntries(names.map((name) => [name, join(bin, name)])) as FakeCluster['programs'],
    env: { PATH: bin, SLURM_CONF: join(dir, 'socket') },
    tasks: [],
    calls: [],
    broken: {},
    onTask() {},
    slots: 8,
    maxArraySize: 1001,
    accounting: 'none',
    fault: (program, ...more) => faults.set(program, [...(faults.get(program) ?? []), ...more]),
    schedule() {
      for (const task of cluster.tasks) {
        if (task.strange) continue;
        const active = cluster.tasks.filter(({ child }) => child !== null);
        const beside = active.filter(({ array }) => array === task.array);
        const full = active.length >= cluster.slots || beside.length >= task.submission.atOnce;
        if (task.state === 'PENDING' && task.shows.length === 0 && !full) start(task);
      }
    },
    stranger(name, state, uid = userInfo().uid) {
      const submission = { ...parseSubmission({ args: ['--array=0-0', 'x'], env: {} }), name };
      const task = { ...taskOf(nextArray(), 0, submission), uid, state, strange: true };
      cluster.tasks.push(task);
      return task;
    },
    async end(task, state, again = false) {
      const { child } = task;
      task.state = 'COMPLETING';
      if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        const gone = new Promise((done) => child.once('exit', done));
        endTree(child.pid, 'SIGKILL');
        await gone;
      }
      task.state = state;
      if (!again) return;
      task.restart++;
      task.state = 'PENDING';
      cluster.schedule();
    },
    async close() {
      for (const task of cluster.tasks) await cluster.end(task, 'CANCELLED');
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
      rmSync(dir, { recursive: true, force: true });
    },
  };

  const start = (task: FakeTask) => {
    const { script, output, chdir, exported, env, gpus } = task.submission;
    const log = openSync(output.replace('%a', String(task.index)).replaceAll('%%', '%'), 'a');
    const seen = exported.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
    const child = spawn(script[0] as string, script.slice(1), {
      cwd: chdir,
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        ...Object.fromEntries(seen),
        SLURM_JOB_ID: String(task.array + task.index),
        SLURM_ARRAY_JOB_ID: String(task.array),
        SLURM_ARRAY_TASK_ID: String(task.index),
        SLURM_RESTART_COUNT: String(task.restart),
        SLURMD_NODENAME: 'node7',
        ...(gpus > 0 ? { CUDA_VISIBLE_DEVICES: Array.from({ length: gpus }, (_, i) => i).join() } : {}),
      },
    });
    task.state = 'RUNNING';
    task.child = child;
    child.once('exit', (code) => {
      if (task.child === child) task.child = null;
      task.exitCode = code ?? 0;
      if (task.state === 'RUNNING') task.state = code === 0 ? 'COMPLETED' : 'FAILED';
      cluster.schedule();
    });
  };

  const submit = (call: Call): Said => {
    const submission = parseSubmission(call);
    const array = nextArray();
    for (let index = 0; index < submission.tasks; index++) {
      const task = taskOf(array, index, submission);
      cluster.tasks.push(task);
      cluster.onTask(task);
    }
    cluster.schedule();
    return tell(`${array}\n`);
  };

  const cancel = ({ args }: Call): Said => {
    for (const name of args) {
      if (name.startsWith('-')) return tell('', `scancel: error: ${name} is not known here`);
      const [array, index] = name.split('_');
      for (const task of cluster.tasks) {
        const meant = String(task.array) === array && (index === undefined || String(task.index) === index);
        if (meant && /^(PENDING|RUNNING|SUSPENDED|REQUEUE)/.test(task.state))
          void cluster.end(task, 'CANCELLED');
      }
    }
    return tell('');
  };

  const act = (call: Call): Said => {
    if (call.args.includes('--test-only')) return tell('');
    if (call.program === 'sbatch') return submit(call);
    if (call.program === 'scancel') return cancel(call);
    const answer = tellOf(cluster, call);
    // What was shown may have been what held a task back.
    cluster.schedule();
    return answer;
  };

  const answer = async (call: Call): Promise<Said | null> => {
    cluster.calls.push(call);
    const fault = faults.get(call.program)?.shift() ?? cluster.broken[call.program];
    return fault ? await fault(() => act(call), call) : act(call);
  };

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket.on('error', () => {}).on('close', () => open.delete(socket)));
    let asked = '';
    socket.setEncoding('utf8').on('data', (text) => {
      asked += text;
    });
    socket.on('end', async () => {
      if (asked === '') return socket.end();
      const said = await answer({ ...JSON.parse(asked), at: performance.now() });
      if (said !== null) socket.end(JSON.stringify(said));
    });
  });
  await new Promise<void>((done) => server.listen(cluster.env.SLURM_CONF, done));
  return cluster;
}

function taskOf(array: number, index: number, submission: Submission): FakeTask {
  const begun = {
    state: 'PENDING',
    reason: 'None',
    shows: [],
    restart: 0,
    exitCode: 0,
    child: null,
    forgotten: false,
  };
  return { array, index, submission, uid: userInfo().uid, strange: false, ...begun };
}

/** What squeue, sacct and scontrol say. */
function tellOf({ tasks, maxArraySize, accounting }: FakeCluster, { program, args }: Call): Said {
  if (program === 'squeue') {
    const format = args.find((arg) => arg.startsWith('--format='))?.slice('--format='.length) ?? '';
    const uid = args.find((arg) => arg.startsWith('--user='))?.slice('--user='.length);
    const heading = format.replaceAll(/%[A-Za-z]/g, (field) => HEADINGS[field] ?? '?');
    const lines = tasks.flatMap((task) => {
      if (task.forgotten || (uid !== undefined && String(task.uid) !== uid)) return [];
      return [format.replaceAll(/%[A-Za-z]/g, fieldsOf(task, task.shows.shift() ?? task.state))];
    });
    return tell(`${[heading, ...lines].join('\n')}\n`);
  }
  if (program === 'sacct') {
    if (accounting === 'none') return tell('', 'Slurm accounting storage is disabled');
    return tell(
      tasks
        .map(
          (task) => `${task.array}_${task.index}|${accounting === 'stale' ? 'RUNNING' : accounted(task)}\n`,
        )
        .join(''),
    );
  }
  if (args.includes('config')) return tell(`Configuration data\nMaxArraySize            = ${maxArraySize}\n`);
  const known = tasks.filter((task) => !task.forgotten && String(task.array) === args.at(-1));
  if (known.length === 0) return tell('', 'slurm_load_jobs error: Invalid job id specified');
  return tell(
    known
      .map(
        ({ array, index, state, exitCode }) =>
          `JobId=${array + index} ArrayJobId=${array} ArrayTaskId=${index} JobState=${state} ExitCode=${exitCode}:0\n`,
      )
      .join(''),
  );
}

const HEADINGS: Record<string, string> = {
  '%F': 'ARRAY_JOB_ID',
  '%K': 'ARRAY_TASK_ID',
  '%T': 'STATE',
  '%N': 'NODELIST',
  '%r': 'REASON',
  '%j': 'NAME',
};

function fieldsOf(task: FakeTask, state: string): (field: string) => string {
  const node = /^(PENDING|REQUEUE|CONF)/.test(state) ? '' : 'node7';
  const fields = [task.array, task.index, state, node, task.reason, task.submission.name];
  return (field) => String(fields[Object.keys(HEADINGS).indexOf(field)] ?? '?');
}

function accounted({ state }: FakeTask): string {
  return state === 'CANCELLED' ? 'CANCELLED by 0' : state;
}
