import type { RunIdentity } from '../event.ts';
import { type Compared, type Curve, type PruneRule, thinned } from '../jobs/curve.ts';
import { hashJson } from '../json.ts';
import type { State } from '../state.ts';
import type { Task } from '../suite/suite.ts';
import { block } from './measure.ts';

/** Fewer curves than this tell too little. */
const FEWEST = 4;
/** Of a task, so many are compared at most. */
const MOST = 32;
/** How much of the median curve's length a job is left alone: curves cross early. */
const GRACE = 1 / 4;
const LIMITS = 64;

/**
 * When jobs of the next generation are stopped early, by task: from the curves of the generation's trials, in the order
 * of `genomes`. A task that has too few of them keeps the rule that it had. Called at the barrier, so what is compared
 * does not depend on who finished first.
 */
export function freezeRules(
  known: { identity: RunIdentity; state: State },
  genomes: Iterable<string>,
  { generation, tasks }: { generation: number; tasks: readonly Task[] },
): Record<string, PruneRule> {
  const { outcomes, prune } = known.state;
  const ids = [...genomes];
  const frozen = tasks.flatMap((task): [string, PruneRule][] => {
    if (task.prune === null) return [];
    const curves = ids.flatMap((id): Curve[] => {
      const outcome = outcomes.get(block(known, id, [task], generation)[0]!.id);
      return outcome?.kind === 'scored' && outcome.curve ? [outcome.curve] : [];
    });
    const rule = medianRule(curves.slice(0, MOST), task.prune) ?? prune.get(generation)?.[task.id];
    return rule ? [[task.id, rule]] : [];
  });
  return Object.fromEntries(frozen);
}

/**
 * A job is stopped when its best value so far is worse than the median of the best values that these curves had by
 * then: the median stopping rule (Golovin et al. 2017, Google Vizier, 3.2.2), which compares with running averages; we
 * do not, as those lag so far behind a falling curve that hardly anything is stopped. A curve that has ended counts with
 * its last value. Null where there are too few curves.
 *
 * The curves should be a fair sample. With those of all jobs that were not stopped the bar would rise with every
 * generation, whether or not jobs got better. So a trial gives one, of its first training, which no rule may stop; and
 * a program that prints what is not true has one voice in many.
 */
export function medianRule(curves: readonly Curve[], { metric, direction }: Compared): PruneRule | null {
  if (curves.length < FEWEST) return null;
  const ends = curves.map((curve) => curve.at(-1)!.step).sort((a, b) => a - b);
  const grace = GRACE * ends[Math.floor(ends.length / 2)]!;
  const steps = [...new Set(curves.flatMap((curve) => curve.map(({ step }) => step)))]
    .filter((step) => step >= grace)
    .sort((a, b) => a - b);
  const limits = steps.flatMap((step): Curve => {
    const values = curves.flatMap((curve) => curve.findLast((point) => point.step <= step)?.value ?? []);
    if (values.length < FEWEST) return [];
    values.sort((a, b) => (direction === 'min' ? a - b : b - a));
    // Of an even number the worse one in the middle: in doubt a job goes on.
    return [{ step, value: values[Math.floor(values.length / 2)]! }];
  });
  const hash = hashJson({ curves, metric, direction }, 16);
  return { metric, direction, limits: thinned(limits, LIMITS), hash };
}
