import type { Trajectory } from '../agent/trajectory.ts';
import type { Genome } from '../genome/genome.ts';
import type { Llm } from '../llm/llm.ts';
import { recall } from '../memory/recall.ts';
import { rngAt, seedAt } from '../rng.ts';
import type { BreedingOperator } from '../selection/operators.ts';
import { gainOver } from '../selection/operators.ts';
import { tournament } from '../selection/tournament.ts';
import type { Candidate, Operator, RunIdentity, State } from '../state.ts';
import type { Task } from '../suite/suite.ts';
import { crossover } from './crossover.ts';
import { gatherEvidence } from './evidence.ts';
import { mutateParams } from './mutate-params.ts';
import { mutateText } from './mutate-text.ts';
import type { Attempted } from './prompts.ts';

export type VaryParts = {
  identity: RunIdentity;
  state: State;
  genomes: { load(id: string): Genome | Promise<Genome> };
  /** The model that proposes edits, and its name. */
  ask: Llm;
  mutator: string;
  readTrajectory(trial: string): Promise<Trajectory | null>;
};

/** A slot of the generation to be filled. */
export type Slot = { generation: number; slot: number; operator: BreedingOperator; parent: string };

/** What an operator made of a slot; `problems` when it is nothing that could live. */
export type Proposal = {
  /** As recorded: founders' copies are their own kind. */
  operator: Operator;
  parents: string[];
  hypothesis: string;
  predicted: string[];
  lessons: string[];
} & ({ genome: Genome } | { problems: string[] });

/** How many earlier edits of the lineage a mutator is shown. */
const ATTEMPTS_SHOWN = 8;

/** Applies the slot's operator, on what was known at the last barrier. Rejects only as `ask` does. */
export async function vary(
  parts: VaryParts,
  slot: Slot,
  tasks: readonly Task[],
  check: (genome: Genome) => string[],
): Promise<Proposal> {
  if (slot.operator === 'mutate-text') return await edit(parts, slot, tasks, check);
  return slot.operator === 'crossover' ? await cross(parts, slot) : await takeStep(parts, slot, 0);
}

/** A typed step; also what a slot falls back on, with another `attempt` each time. */
export async function takeStep(parts: VaryParts, slot: Slot, attempt: number): Promise<Proposal> {
  const rng = rngAt(parts.identity.seed, 'mutate-params', slot.generation, slot.slot, attempt);
  const { genome, hypothesis } = mutateParams(await parts.genomes.load(slot.parent), rng);
  return { ...plain('mutate-params', [slot.parent]), hypothesis, genome };
}

async function cross(parts: VaryParts, { generation, slot, parent }: Slot): Promise<Proposal> {
  const { identity, state } = parts;
  const rng = rngAt(identity.seed, 'crossover', generation, slot);
  const lineage = state.candidates.get(parent)?.lineage;
  const others = state.survivors.filter((id) => id !== parent);
  const strangers = others.filter((id) => state.candidates.get(id)?.lineage !== lineage);
  const second = tournament(
    strangers.length > 0 ? strangers : others,
    state.estimates,
    identity.search.tournament,
    rng,
  );
  const [own, other] = await Promise.all([parts.genomes.load(parent), parts.genomes.load(second)]);
  const { genome, taken } = crossover(own, other, rng);
  const hypothesis = `From ${second} (${state.candidates.get(second)?.lineage}): ${taken.join(', ')}`;
  return { ...plain('crossover', [parent, second]), hypothesis, genome };
}

async function edit(
  parts: VaryParts,
  { generation, slot, parent }: Slot,
  tasks: readonly Task[],
  check: (genome: Genome) => string[],
): Promise<Proposal> {
  const { identity, state } = parts;
  const evidence = await gatherEvidence(parts, parent, tasks, generation);
  const situation = evidence.failures.map((shown) => shown.text).join('\n');
  const lessons = recall(state.lessons, state.lessonRecords, situation);
  const brief = {
    genome: await parts.genomes.load(parent),
    gain: state.estimates.get(parent)?.shrunk ?? 0,
    evidence,
    lessons,
    lessonRecords: state.lessonRecords,
    attempted: attemptedOn(state, parent, generation),
  };
  const seedOf = (attempt: number) => seedAt(identity.seed, 'mutate', generation, slot, attempt);
  const names = tasks.map((task) => task.id);
  const parsed = await mutateText(parts.ask, parts.mutator, brief, names, check, seedOf);
  const common = { ...plain('mutate-text', [parent]), lessons: lessons.map((lesson) => lesson.id) };
  if (!parsed.ok) return { ...common, problems: parsed.problems };
  return { ...common, hypothesis: parsed.hypothesis, predicted: parsed.expects, genome: parsed.genome };
}

/** The latest edits of the parent's lineage that were measured, and how they fared. */
function attemptedOn(state: State, parent: string, generation: number): Attempted[] {
  const lineage = state.candidates.get(parent)?.lineage;
  const tried = (candidate: Candidate) =>
    candidate.lineage === lineage && candidate.parents.length > 0 && candidate.generation < generation;
  return [...state.candidates.values()]
    .filter(tried)
    .slice(-ATTEMPTS_SHOWN)
    .map((candidate) => ({
      changes: candidate.changes.map(
        ({ path, before, after }) => `${path}: ${before ?? 'none'} → ${after ?? 'removed'}`,
      ),
      hypothesis: candidate.hypothesis,
      gain: state.dropped.has(candidate.id)
        ? null
        : gainOver(candidate.id, candidate.parents[0]!, state.estimates),
    }));
}

function plain(operator: Operator, parents: string[]): Omit<Proposal & { problems: string[] }, 'problems'> {
  return { operator, parents, hypothesis: '', predicted: [], lessons: [] };
}
