import { UserError } from './errors.ts';
import type { Result, Stop } from './event.ts';
import { type FinalsParts, finish, stopHere } from './finals.ts';
import type { Genome } from './genome/genome.ts';
import { genomeId } from './genome/hash.ts';
import { type LearnParts, learn } from './learn.ts';
import { LlmError } from './llm/llm.ts';
import { affords, type Ground } from './selection/allowance.ts';
import {
  concludeGeneration,
  firstTrials,
  type Round,
  raceNewcomers,
  remainingTrials,
} from './selection/barrier.ts';
import { refuseImpossibleSearch } from './selection/feasible.ts';
import { measure } from './selection/measure.ts';
import { type BreedParts, breed, founding } from './variation/breed.ts';

/** All that the search needs of the world; `state` is replayed already, and `record` journals and applies. */
export type EvolveParts = BreedParts & LearnParts & FinalsParts;

/**
 * THE LOOP: select → vary → guard → evaluate → criticize → record → select, a generation at a time, then the
 * finals. With a state replayed from a journal that was cut anywhere it goes on to the run that was never cut.
 * Resolves with the result, that of a stopped run too; rejects for faults of this program or of the disk.
 */
export async function evolve(parts: EvolveParts): Promise<Result> {
  const { state, generations, suite } = parts;
  const tasks = suite.tasks.filter((task) => task.role === 'search');
  const ground = { founders: founding(parts).length, tasks: tasks.length };
  begin(parts, ground);
  if (state.result) return state.result;
  try {
    let generation = state.generation + 1;
    for (; generation < generations && affords(parts, generation, ground); generation++) {
      const bred = await breed(parts, generation);
      const round: Round = { generation, bred, tasks };
      const stop = parts.shouldStop() ?? (await measureRound(parts, round));
      if (stop) return stopHere(parts, stop);
      await learn(parts, round);
      parts.record(concludeGeneration(parts, round));
      await parts.commit();
    }
    return await finish({ ...parts, generations: generation });
  } catch (error) {
    if (error instanceof LlmError) return stopHere(parts, parts.shouldStop() ?? 'infrastructure');
    throw error;
  }
}

function begin(parts: EvolveParts, ground: Ground): void {
  const { state, identity, generations, founders, baseline, record } = parts;
  const reference: Genome = founders.find(({ name }) => name === baseline)!.genome;
  if (state.identity === null) {
    refuseImpossibleSearch(identity, ground);
    record({ type: 'started', identity, baseline: genomeId(reference), generations });
    return;
  }
  if (generations <= state.generation) {
    throw new UserError(
      `${state.generation + 1} generations are done already; --generations ${generations} is less`,
      `ask for ${state.generation + 1} or more`,
    );
  }
  // A run that has ended for want of trials has none for more generations either.
  const exhausted = state.result !== null && !affords(parts, state.generation + 1, ground);
  if (generations !== state.generations && !exhausted) record({ type: 'extended', generations });
}

async function measureRound(parts: EvolveParts, round: Round): Promise<Stop | null> {
  const { generation } = round;
  const stop = await measure(parts, generation, 'first', firstTrials(parts, round));
  if (stop) return stop;
  for (const { id, behind, error, dropped } of raceNewcomers(parts, round)) {
    if (dropped && !parts.state.dropped.has(id)) {
      parts.record({ type: 'dropped', generation, candidate: id, behind, error });
    }
  }
  return await measure(parts, generation, 'rest', remainingTrials(parts, round));
}
