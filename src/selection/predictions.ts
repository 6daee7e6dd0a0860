import type { Candidate, PredictionCheck, RunIdentity } from '../event.ts';
import type { State } from '../state.ts';
import type { Task } from '../suite/suite.ts';
import { block, score } from './measure.ts';

/** Sums of fractions may differ in the last digits where nothing differs. */
const NOISE = 1e-9;

/**
 * What became of the expectations with which the generation's children were bred, by candidate. A task improved
 * where the child's score is above its first parent's in the same block: same task, same repeat, same seed. Where
 * either score is missing (a lost trial; a child dropped before it met the task) nothing can be said. A single pair
 * is noisy, and a child may be better everywhere: hence the tasks that were not named, as the measure of chance.
 */
export function checkPredictions(
  known: { identity: RunIdentity; state: State },
  round: { generation: number; bred: readonly Candidate[]; tasks: readonly Task[] },
): Record<string, PredictionCheck> {
  const children = round.bred.filter(({ predicted, parents }) => predicted.length > 0 && parents.length > 0);
  return Object.fromEntries(children.map((child) => [child.id, check(known, round, child)]));
}

function check(
  known: { identity: RunIdentity; state: State },
  { generation, tasks }: { generation: number; tasks: readonly Task[] },
  child: Candidate,
): PredictionCheck {
  const scores = (genome: string) =>
    block(known, genome, tasks, generation).map(({ id }) => score(known.state.outcomes.get(id)));
  const own = scores(child.id);
  const parent = scores(child.parents[0]!);
  const found: PredictionCheck = { hit: [], missed: [], unknown: [], others: { checked: 0, improved: 0 } };
  for (const [i, { id }] of tasks.entries()) {
    const [after, before] = [own[i] ?? null, parent[i] ?? null];
    const improved = after === null || before === null ? null : after - before > NOISE;
    if (child.predicted.includes(id)) {
      found[improved === null ? 'unknown' : improved ? 'hit' : 'missed'].push(id);
    } else if (improved !== null) {
      found.others.checked++;
      if (improved) found.others.improved++;
    }
  }
  return found;
}
