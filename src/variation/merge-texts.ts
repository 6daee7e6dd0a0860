import { diffGenomes } from '../genome/diff.ts';
import { type GeneValue, getGene, setGene } from '../genome/genes.ts';
import type { Genome } from '../genome/genome.ts';
import type { Advisor } from '../llm/advisor.ts';
import { LlmError } from '../llm/llm.ts';
import { oneLine } from '../prompts/one-line.ts';
import { signedPoints } from '../prompts/points.ts';
import { replyTokens } from '../prompts/prompt-room.ts';
import { type MergeText, mergePrompt } from '../prompts/prompts.ts';
import { readReply } from '../prompts/read-reply.ts';
import { tryAsk } from '../prompts/try-ask.ts';
import { gainOver } from '../selection/operators.ts';
import type { State } from '../state.ts';
import { changersOf, commonAncestor } from './ancestry.ts';
import { isTextGene, kindOf, readTextGene } from './text-gene.ts';

/** The parents of a crossover, first and second, as candidates and as genomes. */
export type Parents = { ids: [string, string]; genomes: [Genome, Genome] };

/** A gene that both lineages changed, each in its own way. */
export type Contested = { path: string; ancestor: GeneValue | undefined; values: [GeneValue, GeneValue] };

/** Two rules or skills are seldom longer; what is longer is left to chance. */
const LONGEST = 60_000;
/** Most merges in one crossover: each is a call. */
const MOST = 3;
/** A merged skill takes some 4,000 tokens; the rest is for thinking. */
const REPLY = 8192;
/** Steps of a lineage that are told, the latest. */
const LEARNT = 5;

/**
 * The rules and skills that both parents changed since their nearest common ancestor, and in which they differ; at
 * most three, in the order of paths. None where they have no ancestor in common.
 */
export async function contestedTexts(
  parts: { state: State; genomes: { load(id: string): Genome | Promise<Genome> } },
  { ids, genomes }: Parents,
): Promise<Contested[]> {
  const ancestor = commonAncestor(parts.state, ...ids);
  if (ancestor === null || ids.includes(ancestor)) return [];
  const origin = await parts.genomes.load(ancestor);
  const changed = genomes.map((genome) => new Set(diffGenomes(origin, genome).map(({ path }) => path)));
  const contested = diffGenomes(...genomes).flatMap(({ path }): Contested[] => {
    const [first, second] = genomes.map((genome) => getGene(genome, path));
    if (!isTextGene(path) || first === undefined || second === undefined) return [];
    if (!changed.every((paths) => paths.has(path))) return [];
    return [{ path, ancestor: getGene(origin, path), values: [first, second] }];
  });
  return contested.filter((it) => JSON.stringify(it).length <= LONGEST).slice(0, MOST);
}

/**
 * Lets the model write one value out of two: `genome` with it, or in a sentence why not. `genome` is the child, which
 * must hold the gene's value of either parent. Rejects only for faults that stop the run.
 */
export async function mergeText(
  { state, mutator }: { state: State; mutator: Advisor },
  parents: Parents,
  contested: Contested,
  genome: Genome,
  check: (genome: Genome) => string[],
  seed: number,
): Promise<Genome | string> {
  const { path } = contested;
  const reply = await tryAsk(mutator.ask, {
    model: mutator.model,
    messages: mergePrompt(mergeBrief(state, parents.ids, contested)),
    temperature: 1,
    seed,
    max_tokens: replyTokens(REPLY, mutator.context),
  });
  if (reply instanceof LlmError) return oneLine(`the model did not answer: ${reply.message}`, 200);
  const read = readReply(reply.message.content);
  if (typeof read === 'string') return read;
  const value = readTextGene(genome, path, read.value);
  if (typeof value === 'string') return oneLine(value, 200);
  const merged = setGene(genome, path, value);
  const [problem] = check(merged);
  return problem === undefined ? merged : oneLine(problem, 200);
}

function mergeBrief(state: State, ids: [string, string], { path, ancestor, values }: Contested): MergeText {
  const origin = commonAncestor(state, ...ids)!;
  const [first, second] = ids.map((id, i) => ({
    value: asText(values[i]!),
    learnt: learnt(state, id, origin, path),
  }));
  return {
    path,
    kind: kindOf(path),
    ancestor: ancestor === undefined ? '' : asText(ancestor),
    first: first!,
    second: second!,
  };
}

function learnt(state: State, id: string, origin: string, path: string): string {
  const lines = changersOf(state, id, origin, path)
    .slice(-LEARNT)
    .map(({ id, parents, generation, hypothesis }) => {
      const gain = gainOver(id, parents[0]!, state.estimates);
      const fared = `${signedPoints(gain)} points against its parent`;
      return `- generation ${generation}, ${fared}${hypothesis === '' ? '' : `: ${oneLine(hypothesis, 300)}`}`;
    });
  return lines.join('\n') || 'Nothing is known.';
}

/** As the answer has it: a rule whole; of a skill what a model may write. */
function asText(value: GeneValue): string {
  if (typeof value === 'object' && 'body' in value) {
    const { description, body } = value;
    return JSON.stringify({ description, body });
  }
  return JSON.stringify(value);
}
