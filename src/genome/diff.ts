import { hashJson } from '../json.ts';
import { type GeneValue, genePaths, getGene } from './genes.ts';
import type { Genome, Rule, Skill } from './genome.ts';

/** One gene that differs, for people: values as short text, null where the gene is absent. */
export type GeneChange = { path: string; before: string | null; after: string | null };

/** The genes that differ between two genomes, by path, in the order of `genePaths`. */
export function diffGenomes(before: Genome, after: Genome): GeneChange[] {
  const known = new Set(genePaths(before));
  const paths = [...known, ...genePaths(after).filter((path) => !known.has(path))];
  return paths
    .map((path) => ({
      path,
      before: printGene(getGene(before, path)),
      after: printGene(getGene(after, path)),
    }))
    .filter((change) => change.before !== change.after);
}

/**
 * A gene's value as text: a rule whole, a skill by its description, size and a hash of its content.
 * Different values have different texts. Null for an absent gene.
 */
export function printGene(value: GeneValue | undefined): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'object') return String(value);
  if (isRule(value)) return `${value.when}: ${value.text}`;
  if (isSkill(value)) {
    const lines = value.body.split('\n').length;
    const files = Object.keys(value.files).length;
    const beside = files === 0 ? '' : `, ${files} files`;
    return `${value.description} (${lines} lines${beside}, ${hashJson(value, 6)})`;
  }
  return JSON.stringify(value);
}

function isRule(value: object): value is Rule {
  return 'when' in value;
}

function isSkill(value: object): value is Skill {
  return 'body' in value;
}
