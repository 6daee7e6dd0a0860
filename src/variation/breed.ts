import type { Candidate, Event } from '../event.ts';
import { diffGenomes } from '../genome/diff.ts';
import type { Genome } from '../genome/genome.ts';
import { genomeId } from '../genome/hash.ts';
import { validateGenome } from '../genome/schema.ts';
import { rngAt } from '../rng.ts';
import { chooseOperator, operatorsOf } from '../selection/operators.ts';
import { childSlots, contestants, strategyOf, tournamentSize, uses } from '../selection/strategy.ts';
import { tournament } from '../selection/tournament.ts';
import type { Suite } from '../suite/suite.ts';
import { together } from '../together.ts';
import { type Proposal, type Slot, takeStep, type VaryParts, vary } from './vary.ts';

/** What breeding needs of the world. */
export type BreedParts = VaryParts & {
  suite: Suite;
  /** By name; the baseline among them. */
  founders: readonly { name: string; genome: Genome }[];
  /** Name of the founder that all are compared with. */
  baseline: string;
  genomes: { save(id: string, genome: Genome): Promise<void>; load(id: string): Genome | Promise<Genome> };
  /** What the guard has against the step from one genome to another; empty if nothing. */
  review(child: Genome, parent: Genome): string[];
  record(event: Event): void;
};

/** Typed steps that a slot may fall back on before it stays empty; none where there are no typed steps. */
const FALLBACKS = 5;

/**
 * Fills the slots of a generation with children; resolves with its new candidates in slot order.
 * Proposals are made at the same time, from what was known at the last barrier, and accepted in slot order. What is
 * bred already is kept, so this can be called again after a cut.
 */
export async function breed(parts: BreedParts, generation: number): Promise<Candidate[]> {
  if (generation === 0) await admitFounders(parts);
  const present = bredIn(parts, generation);
  const slots = childSlots(parts, generation, founding(parts).length)
    .filter((slot) => !present.some((candidate) => candidate.slot === slot))
    .map((slot) => (generation === 0 ? copySlot(parts, slot) : slotAt(parts, generation, slot)))
    .filter((slot) => slot !== null);
  const tasks = parts.suite.tasks.filter((task) => task.role === 'search');
  const proposals = await together(
    slots.map(async (slot) => {
      const parent = await parts.genomes.load(slot.parent);
      return await vary(parts, slot, tasks, (genome) =>
        problemsOf(parts, genome, parent, isOlder(generation)),
      );
    }),
  );
  for (const [i, slot] of slots.entries()) await fill(parts, slot, proposals[i]!);
  return bredIn(parts, generation);
}

/** The founders that take part: the baseline, and as many of the others as the population has room for. */
export function founding({
  founders,
  baseline,
  identity,
}: Pick<BreedParts, 'founders' | 'baseline' | 'identity'>): { name: string; genome: Genome }[] {
  const others = founders.filter(({ name }) => name !== baseline);
  const order = [...founders.filter(({ name }) => name === baseline), ...others];
  return order.slice(0, identity.population);
}

async function admitFounders(parts: BreedParts): Promise<void> {
  for (const [slot, { name, genome }] of founding(parts).entries()) {
    const id = genomeId(genome);
    if (parts.state.candidates.has(id)) continue;
    await parts.genomes.save(id, genome);
    const candidate: Candidate = {
      id,
      parents: [],
      operator: 'founder',
      lineage: name,
      generation: 0,
      slot,
      hypothesis: '',
      predicted: [],
      changes: [],
      lessons: [],
    };
    parts.record({ type: 'bred', candidate });
  }
}

/** In the first generation founders are copied in turn, every other round of copies by the model's edits. */
function copySlot(parts: BreedParts, slot: number): Slot | null {
  const founders = founding(parts);
  const copy = slot - founders.length;
  const founder = founders[copy % founders.length]!;
  const operators = operatorsOf(parts.identity.search).filter((operator) => operator !== 'crossover');
  const operator = operators[Math.floor(copy / founders.length) % operators.length];
  if (operator === undefined) return null;
  return { generation: 0, slot, operator, parent: genomeId(founder.genome) };
}

/** Null where nothing can be bred: crossover alone, and one survivor. */
function slotAt(parts: BreedParts, generation: number, slot: number): Slot | null {
  const { identity, state } = parts;
  const rng = rngAt(identity.seed, 'slot', generation, slot);
  // Whose children did better is selection too: a random search draws its operators evenly.
  const records = strategyOf(identity) === 'random' ? new Map() : state.operators;
  const operator = chooseOperator(records, state.survivors.length, rng, operatorsOf(identity.search));
  if (operator === null) return null;
  const size = tournamentSize(identity);
  const parent = tournament(contestants(parts, generation), state.estimates, size, rng);
  return { generation, slot, operator, parent };
}

/** Accepts the proposal, or a typed step in its place; refusals that are journalled already are not repeated. */
async function fill(parts: BreedParts, slot: Slot, proposed: Proposal): Promise<void> {
  const { state } = parts;
  const known = state.refusals.filter((refusal) => refusal.slot === slot.slot).length;
  const parent = await parts.genomes.load(slot.parent);
  let proposal = proposed;
  const fallbacks = uses(parts.identity, 'typed-steps') ? FALLBACKS : 0;
  for (let attempt = 0; attempt <= fallbacks; attempt++) {
    if (attempt > 0) proposal = await takeStep(parts, slot, attempt);
    const problems = 'genome' in proposal ? problemsOf(parts, proposal.genome, parent) : proposal.problems;
    if ('genome' in proposal && problems.length === 0)
      return await accept(parts, slot, proposal, proposal.genome);
    if (attempt < known) continue;
    const { generation } = slot;
    parts.record({
      type: 'refused',
      generation,
      slot: slot.slot,
      operator: proposal.operator,
      parent: slot.parent,
      reason: problems.join('; '),
      ...('unanswered' in proposal && proposal.unanswered ? { unanswered: true } : {}),
    });
  }
}

async function accept(
  parts: BreedParts,
  { generation, slot }: Slot,
  proposal: Proposal,
  genome: Genome,
): Promise<void> {
  const { parents, hypothesis, predicted, lessons } = proposal;
  const parent = parents[0]!;
  const id = genomeId(genome);
  await parts.genomes.save(id, genome);
  const candidate: Candidate = {
    id,
    parents,
    operator: generation === 0 ? 'varied-founder' : proposal.operator,
    lineage: parts.state.candidates.get(parent)!.lineage,
    generation,
    slot,
    hypothesis,
    predicted,
    changes: diffGenomes(await parts.genomes.load(parent), genome),
    lessons,
  };
  parts.record({ type: 'bred', candidate });
}

/** What is wrong with a genome as a child of `parent`; empty if it may live. */
function problemsOf(
  parts: BreedParts,
  genome: Genome,
  parent: Genome,
  counts: (twin: Candidate) => boolean = () => true,
): string[] {
  const invalid = validateGenome(genome);
  if (invalid.length > 0) return invalid.map(({ path, message }) => `${path} ${message}`);
  const twin = parts.state.candidates.get(genomeId(genome));
  if (twin && counts(twin)) return [`the same genome as ${twin.id} of generation ${twin.generation}`];
  return parts.review(genome, parent);
}

/** While proposals are made, siblings do not count: after a cut some of them would be known, and others not. */
function isOlder(generation: number): (twin: Candidate) => boolean {
  return (twin) => twin.generation < generation || twin.operator === 'founder';
}

function bredIn({ state }: BreedParts, generation: number): Candidate[] {
  const bred = [...state.candidates.values()].filter((candidate) => candidate.generation === generation);
  return bred.sort((a, b) => a.slot - b.slot);
}
