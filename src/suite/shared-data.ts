import { UserError } from '../errors.ts';
import { hashJson, sha256 } from '../json.ts';
import type { Answers } from './answers.ts';
import type { Suite } from './suite.ts';

/** Two tasks, by id, that have something in common that one of them should not know of the other. */
export type SharedData = { tasks: [string, string]; what: 'answers' | 'training data' | 'public data' };

/** Names what a task is made of; null for what it does not have. */
export type DataNames = { id: string; hashes: Record<SharedData['what'], string | null> };

const PUBLIC = 'prepared/public/';
/** What tasks may well have in common: words, and a form with nothing in it. */
const FORMS = ['description.md', 'sample_submission.csv'];

/** Names the data of a task; `files` are all of its folder, by relative path. */
export function nameData(
  id: string,
  files: ReadonlyMap<string, Buffer>,
  { ids, truth }: Pick<Answers, 'ids' | 'truth'>,
): DataNames {
  const rows = ids.map((name, i) => [name, ...truth[i]!]).sort(([a], [b]) => (a! < b! ? -1 : 1));
  const train = files.get(`${PUBLIC}train.csv`);
  const data = [...files.keys()]
    .filter((path) => path.startsWith(PUBLIC) && !FORMS.includes(path.slice(PUBLIC.length)))
    .sort()
    .map((path) => [path, sha256(files.get(path)!)]);
  return {
    id,
    hashes: {
      answers: hashJson(rows),
      'training data': train ? sha256(train) : null,
      'public data': data.length > 0 ? hashJson(data) : null,
    },
  };
}

/** The pairs of tasks with the same answers, train.csv, or public data (all files but description and sample). */
export function findShared(tasks: readonly DataNames[]): SharedData[] {
  const whats = ['answers', 'training data', 'public data'] as const;
  return tasks.flatMap((a, i) =>
    tasks.slice(i + 1).flatMap((b): SharedData[] => {
      const what = whats.find((name) => a.hashes[name] !== null && a.hashes[name] === b.hashes[name]);
      return what === undefined ? [] : [{ tasks: [a.id, b.id], what }];
    }),
  );
}

/**
 * Throws a `UserError` where two tasks of different roles share data: what was learnt on one is then known of the other.
 * Without roles any two tasks may come to stand on different sides.
 */
export function refuseSharedData({ name, tasks, roleless, shared = [] }: Suite): void {
  const roles = new Map(tasks.map(({ id, role }) => [id, role]));
  for (const { tasks: both, what } of shared) {
    const [a, b] = both.map((id) => roles.get(id));
    if (a === undefined || b === undefined || (a === b && !roleless)) continue;
    const [first, second] = both.map((id) => (roleless ? `"${id}"` : `"${id}" (${roles.get(id)})`));
    throw new UserError(
      `the tasks ${first} and ${second} of the suite ${name} have the same ${what}`,
      roleless
        ? 'Take one of them out: a search that is blind to one would see the other.'
        : 'Give one of them other data, or take it out: what is learnt on one must say nothing of the other.',
    );
  }
}
