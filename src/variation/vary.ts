import { settingOf } from '../agent/prompt.ts';
import type { Trajectory } from '../agent/trajectory.ts';
import type { Operator, RunIdentity } from '../event.ts';
import type { Genome } from '../genome/genome.ts';
import type { Advisor } from '../llm/advisor.ts';
import { recall } from '../memory/recall.ts';
import { rngAt, seedAt } from '../rng.ts';
import type { BreedingOperator } from '../selection/operators.ts';
import { tournamentSize, uses } from '../selection/strategy.ts';
import { tournament } from '../selection/tournament.ts';
import type { State } from '../state.ts';
import type { Task } from '../suite/suite.ts';
import { crossover } from './crossover.ts';
import { gatherEvidence } from './evidence.ts';
import { focusOf } from './focus.ts';
import { attemptedOn } from './history.ts';
import { contestedTexts, mergeText, type Parents } from './merge-texts.ts';
import { mutateParams } from './mutate-params.ts';
import { mutateText } from './mutate-text.ts';

/** What variation needs of the world. */
export type VaryParts = {
  identity: RunIdentity;
  state: State;
  genomes: { load(id: string): Genome | Promise<Genome> };
  /** The model that proposes edits, and merges. */
  mutator: Advisor;
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
} & ({ genome: Genome } | { problems: string[]; unanswered?: true });

/** Applies the slot's operator, on what was known at the last barrier. Rejects only for faults that stop the run. */
export async function vary(
  parts: VaryParts,
  slot: Slot,
  tasks: readonly Task[],
  check: (genome: Genome) => string[],
): Promise<Proposal> {
  if (slot.operator === 'mutate-text') return await edit(parts, slot, tasks, check);
  return slot.operator === 'crossover' ? await cross(parts, slot, check) : await takeStep(parts, slot, 0);
}

/** A typed step; also what a slot falls back on, with another `attempt` each time. */
export async function takeStep(parts: VaryParts, slot: Slot, attempt: number): Promise<Proposal> {
  const rng = rngAt(parts.identity.seed, 'mutate-params', slot.generation, slot.slot, attempt);
  const { genome, hypothesis } = mutateParams(
    await parts.genomes.load(slot.parent),
    rng,
    parts.identity.frozen,
  );
  return { ...plain('mutate-params', [slot.parent]), hypothesis, genome };
}

async function cross(
  parts: VaryParts,
  { generation, slot, parent }: Slot,
  check: (genome: Genome) => string[],
): Promise<Proposal> {
  const { identity, state } = parts;
  const rng = rngAt(identity.seed, 'crossover', generation, slot);
  const lineage = state.candidates.get(parent)?.lineage;
  const others = state.survivors.filter((id) => id !== parent);
  const strangers = others.filter((id) => state.candidates.get(id)?.lineage !== lineage);
  const second = tournament(
    strangers.length > 0 ? strangers : others,
    state.estimates,
    tournamentSize(identity),
    rng,
  );
  const genomes: Parents['genomes'] = [await parts.genomes.load(parent), await parts.genomes.load(second)];
  const { genome, taken } = crossover(...genomes, rng, identity.frozen);
  const origin = `From ${second} (${state.candidates.get(second)?.lineage}): ${taken.join(', ')}`;
  const seedOf = (path: string) => seedAt(identity.seed, 'merge', generation, slot, path);
  const merged = uses(identity, 'llm-edits')
    ? await mergeAll(parts, { ids: [parent, second], genomes }, genome, check, seedOf)
    : { genome, notes: [] };
  return {
    ...plain('crossover', [parent, second]),
    hypothesis: [origin, ...merged.notes].join('; '),
    genome: merged.genome,
  };
}

/** Texts that both parents changed are merged by the model, one after the other; where it fails, the draw stands. */
async function mergeAll(
  parts: VaryParts,
  parents: Parents,
  drawn: Genome,
  check: (genome: Genome) => string[],
  seedOf: (path: string) => number,
): Promise<{ genome: Genome; notes: string[] }> {
  let genome = drawn;
  const notes: string[] = [];
  for (const contested of await contestedTexts(parts, parents)) {
    const { path } = contested;
    const merged = await mergeText(parts, parents, contested, genome, check, seedOf(path));
    if (typeof merged === 'string') notes.push(`${path} could not be merged: ${merged}`);
    else {
      genome = merged;
      notes.push(`merged ${path} by the model`);
    }
  }
  return { genome, notes };
}

async function edit(
  parts: VaryParts,
  { generation, slot, parent }: Slot,
  tasks: readonly Task[],
  check: (genome: Genome) => string[],
): Promise<Proposal> {
  const { identity, state } = parts;
  const evidence = await gatherEvidence(parts, parent, tasks, generation);
  const lessons = recall(state.lessons, state.lessonRecords, evidence.situation);
  const focus = focusOf(identity.seed, generation, slot, evidence.failures);
  const frozen = identity.frozen ?? [];
  const brief = {
    setting: tasks[0] && settingOf(tasks[0]),
    genome: await parts.genomes.load(parent),
    gain: state.estimates.get(parent)?.shrunk ?? 0,
    evidence: { ...evidence, failures: focus.failures },
    lessons,
    lessonRecords: state.lessonRecords,
    attempted: attemptedOn(state, parent, generation),
    foresight: state.foresight,
    frozen,
    focus: focus.text,
  };
  const seedOf = (attempt: number) => seedAt(identity.seed, 'mutate', generation, slot, attempt);
  const rules = { tasks: tasks.map((task) => task.id), frozen, check };
  const parsed = await mutateText(parts.mutator, brief, rules, seedOf);
  const common = { ...plain('mutate-text', [parent]), lessons: lessons.map((lesson) => lesson.id) };
  if (!parsed.ok) {
    const { problems, unanswered } = parsed;
    return { ...common, problems, ...(unanswered ? { unanswered } : {}) };
  }
  return { ...common, hypothesis: parsed.hypothesis, predicted: parsed.expects, genome: parsed.genome };
}

function plain(operator: Operator, parents: string[]): Omit<Proposal & { problems: string[] }, 'problems'> {
  return { operator, parents, hypothesis: '', predicted: [], lessons: [] };
}
