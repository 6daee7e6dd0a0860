import type { Compared } from '../jobs/curve.ts';
import type { SealedAudit } from './audit-file.ts';
import type { SharedData } from './shared-data.ts';

export type Role = 'search' | 'validation' | 'sealed';
export type MetricName =
  | 'accuracy'
  | 'macro-f1'
  | 'log-loss'
  | 'bits-per-byte'
  | 'roc-auc'
  | 'rmse'
  | 'mae'
  | 'rmsle'
  | 'quadratic-kappa';
export type Medal = 'gold' | 'silver' | 'bronze' | 'none';

/** A task as the search and the agent may know it: no answers, no leaderboard. JSON, crosses threads. */
export type Task = {
  id: string;
  role: Role;
  /** What kind of problem it is: `tabular-classification`, `denoising` … */
  family: string;
  /** For sealed tasks: does the search see this family (`near`) or not (`far`)? Else null. */
  distance: 'near' | 'far' | null;
  metric: MetricName;
  direction: 'max' | 'min';
  idColumn: string;
  targetColumns: string[];
  limits: TaskLimits;
  /** What its programs run on, beside the system's. */
  runtime: Runtime;
  /** Modules that Python must be able to import. */
  modules: string[];
  /** What Python and its modules are on this machine, with their versions; known once a run has begun. */
  packages?: string;
  /** What the tool `train` runs; its output is `submission.csv`. */
  train: string[];
  /** Names of variables that its jobs may see. */
  env: string[];
  /** Its jobs may use the network. */
  network: boolean;
  /** On search tasks: jobs are stopped early by this metric (`metric` lines) when their curve is dominated; else null. */
  prune: Compared | null;
  /** The only files that the agent's tools may write; null for any. */
  editable: string[] | null;
  /** `prepared/public` on this machine. */
  publicDir: string;
  /** `prepared/start` on this machine: what stands in the agent's folder when a trial begins; null for nothing. */
  startDir: string | null;
  /** Hash over all public files; names the data in a job's identity. */
  publicHash: string;
  /** The text of `description.md`. */
  description: string;
};

export type Runtime = 'node' | 'python';

/** Of a trial: turns and jobs; of a job: the rest, as `JobSpec` has it. `clock: 'wall'`: the task's budget is time. */
export type TaskLimits = {
  turns: number;
  jobs: number;
  jobSeconds: number;
  memoryMb: number;
  clock: 'cpu' | 'wall';
  gpus: number;
  cpus?: number;
  diskMb?: number;
  processes?: number;
};

/** A folder of tasks. */
export type Suite = {
  name: string;
  version: string;
  dir: string;
  /** Hash over every task's public files, answers and leaderboards: a run belongs to one suite. */
  hash: string;
  /** The command that installs what its tasks need of a machine; null where that is nothing. */
  setup: string | null;
  /** `suite.json` gives no roles: all tasks stand here as search tasks, until folds give them others; else left out. */
  roleless?: true;
  tasks: Task[];
  /** What an audit of its sealed tasks found when it was built; left out where nobody tried. */
  audit?: SealedAudit;
  /** Pairs of tasks that share data; left out where none do. */
  shared?: SharedData[];
  /** Tasks that an audit found unfit and that therefore are not among `tasks`: `<id>: <why>`. Left out where none is. */
  leftOut?: string[];
};

/** What the grader says of a submission. `score` is the share of the leaderboard beaten, in [0, 1]. */
export type Grade =
  | { valid: true; raw: number; score: number; medal: Medal; aboveMedian: boolean }
  | { valid: false; reason: string };

/** Grades copies of submissions; holds the answers; lives in a process of its own. */
export type Grader = {
  grade(taskId: string, submissionCsv: string): Promise<Grade>;
  close(): Promise<void>;
};
