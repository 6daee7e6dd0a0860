import { UserError } from '../errors.ts';
import type { Evaluator, TrialSpec } from '../evaluation/trial.ts';
import type { State } from '../state.ts';
import type { Suite } from '../suite/suite.ts';

/**
 * Roles, enforced: an evaluator that runs no trial which its task's role forbids at this moment. Search tasks are open. A
 * validation task is scored for the two genomes of a claim that is named and not settled, on the repeats of that claim. A
 * sealed task is scored for baseline and champion alone, once the champion is named, and for one champion in the life of
 * a run. All else throws `UserError` with exit code 5, before any trial of the batch has started.
 */
export function withGate(
  evaluator: Evaluator,
  known: { state: State; suite: Suite },
  sealedRepeats: number,
): Evaluator {
  const roles = new Map(known.suite.tasks.map(({ id, role }) => [id, role]));
  return {
    ...evaluator,
    async evaluate(specs, onOutcome, signal) {
      for (const spec of specs) {
        const role = roles.get(spec.task);
        const why =
          role !== spec.role
            ? `its task is ${role === undefined ? 'not in the suite' : `a ${role} task`}`
            : refusal(known.state, spec, sealedRepeats);
        if (why) throw refused(spec, why);
      }
      return await evaluator.evaluate(specs, onOutcome, signal);
    },
  };
}

/** Why a trial may not run now; null if it may. */
export function refusal(
  state: State,
  { role, genome, repeat }: TrialSpec,
  sealedRepeats: number,
): string | null {
  if (role === 'search') return null;
  if (role === 'validation') {
    const belongs = [...state.claims.values()].some(
      ({ claim, settled }) =>
        settled === null &&
        (genome === claim.candidate || genome === claim.against) &&
        repeat >= claim.from &&
        repeat < claim.from + claim.passes,
    );
    return belongs ? null : 'it belongs to no claim that is open';
  }
  if (state.champion === null) return 'no champion is named yet';
  if (genome !== state.champion && genome !== state.baseline) return 'it is neither champion nor baseline';
  if (state.sealedFor !== null && state.sealedFor !== state.champion) {
    return `the sealed tasks were opened for ${state.sealedFor} already`;
  }
  return repeat < sealedRepeats ? null : `repeat ${repeat} is beyond the ${sealedRepeats} that were planned`;
}

function refused({ genome, task, role, repeat }: TrialSpec, why: string): UserError {
  return new UserError(
    `a trial of ${genome} on the ${role} task ${task} (repeat ${repeat}) was asked for and refused: ${why}`,
    'Nothing was scored. The search must not see these tasks; this is a fault of the program that asked.',
    5,
  );
}
