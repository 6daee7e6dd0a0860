export type Role = 'search' | 'validation' | 'sealed';
export type MetricName =
  | 'accuracy'
  | 'macro-f1'
  | 'log-loss'
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
  limits: { turns: number; jobs: number; jobSeconds: number; memoryMb: number };
  /** `prepared/public` on this machine. */
  publicDir: string;
  /** Hash over all public files; names the data in a job's identity. */
  publicHash: string;
  /** The text of `description.md`. */
  description: string;
};

/** A folder of tasks. */
export type Suite = {
  name: string;
  version: string;
  dir: string;
  /** Hash over every task's public files, answers and leaderboards: a run belongs to one suite. */
  hash: string;
  tasks: Task[];
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
