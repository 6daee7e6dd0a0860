import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** An array, by the name that Slurm knows it by. `ids` are the array jobs of that name; none while nobody has seen one. */
export type Batch = { name: string; jobs: string[]; ids: string[] };

/** What was submitted, on disk before it is; so that whoever resumes the run finds the jobs that still run. */
export type Submissions = {
  /** The highest attempt at a job that was submitted, or was to be; 0 for none. */
  attempts(identity: string): number;
  /** The arrays in which a job (`<identity>.<attempt>`) stands, and where. */
  placesOf(job: string): { batch: Batch; index: number }[];
  named(name: string): Batch | undefined;
  all(): readonly Batch[];
  /** To be called before sbatch. Throws when it cannot be written. */
  intend(name: string, jobs: string[]): Batch;
  /** The batch is there, as the array job `id`. */
  found(batch: Batch, id: string): void;
  /** May Slurm still have something of what was submitted? */
  mayBeLeft(): boolean;
  /** Nothing of it is left on Slurm. */
  cleared(): void;
  close(): void;
};

type Line = { intent: string; jobs: string[] } | { found: string; id: string } | { cleared: true };

/** Opens `submissions.jsonl` of a shared folder. Lines that are not whole were never acted upon, and are passed over. */
export function openSubmissions(shared: string): Submissions {
  const path = join(shared, 'submissions.jsonl');
  const batches = new Map<string, Batch>();
  const places = new Map<string, { batch: Batch; index: number }[]>();
  const attempts = new Map<string, number>();
  let mayBeLeft = false;

  const apply = (line: Line): void => {
    mayBeLeft = !('cleared' in line);
    if ('cleared' in line) return;
    if ('found' in line) {
      const batch = batches.get(line.found);
      if (batch && !batch.ids.includes(line.id)) batch.ids.push(line.id);
      return;
    }
    if (batches.has(line.intent)) return;
    const batch: Batch = { name: line.intent, jobs: line.jobs, ids: [] };
    batches.set(batch.name, batch);
    for (const [index, job] of batch.jobs.entries()) {
      places.set(job, [...(places.get(job) ?? []), { batch, index }]);
      const [identity, attempt] = job.split('.') as [string, string];
      attempts.set(identity, Math.max(attempts.get(identity) ?? 0, Number(attempt)));
    }
  };

  const before = read(path);
  for (const line of before.split('\n')) {
    try {
      apply(JSON.parse(line) as Line);
    } catch {
      // Its writer was killed.
    }
  }
  const fd = openSync(path, 'a');
  if (before !== '' && !before.endsWith('\n')) writeSync(fd, '\n');
  const append = (line: Line) => {
    writeSync(fd, `${JSON.stringify({ ...line, at: new Date().toISOString() })}\n`);
    fsyncSync(fd);
    apply(line);
  };

  return {
    attempts: (identity) => attempts.get(identity) ?? 0,
    placesOf: (job) => places.get(job) ?? [],
    named: (name) => batches.get(name),
    all: () => [...batches.values()],
    intend(name, jobs) {
      append({ intent: name, jobs });
      return batches.get(name) as Batch;
    },
    found(batch, id) {
      if (!batch.ids.includes(id)) append({ found: batch.name, id });
    },
    mayBeLeft: () => mayBeLeft,
    cleared() {
      if (mayBeLeft) append({ cleared: true });
    },
    close: () => closeSync(fd),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
