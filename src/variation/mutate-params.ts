import { SCALAR_GENES, type ScalarGene } from '../genome/gene-table.ts';
import { type GeneValue, getGene, setGene } from '../genome/genes.ts';
import type { Genome } from '../genome/genome.ts';
import type { Rng } from '../rng.ts';

/** How often a gene is drawn, against 1 for the others: what takes a tool away seldom helps. */
const TOOL_WEIGHT = 0.05;
/** Chance that a step takes one more gene along, again and again: two genes in the mean. */
const ONE_MORE = 0.5;
/** Draws until a gene's value really changes: a step may be cut off at a bound, or round to nothing. */
const TRIES = 8;

/**
 * A typed step: one or more scalar genes of the table, numbers by a normal step on their own scale. Genes whose paths
 * are `frozen` are never drawn.
 */
export function mutateParams(
  genome: Genome,
  rng: Rng,
  frozen: readonly string[] = [],
): { genome: Genome; hypothesis: string } {
  const open = SCALAR_GENES.filter(({ path }) => !frozen.includes(path));
  const genes = [drawGene(open, rng)];
  while (rng.next() < ONE_MORE && genes.length < open.length) {
    genes.push(
      drawGene(
        open.filter((gene) => !genes.includes(gene)),
        rng,
      ),
    );
  }
  let child = genome;
  const steps: string[] = [];
  for (const gene of genes) {
    const before = getGene(child, gene.path)!;
    const after = step(gene, before, rng);
    child = setGene(child, gene.path, after);
    steps.push(`${gene.path} from ${before} to ${after}`);
  }
  return { genome: child, hypothesis: `A step: ${steps.join(', ')}` };
}

/** Another value of the gene, within its bounds; the same one only if it can have no other. */
export function step(gene: ScalarGene, value: GeneValue, rng: Rng): GeneValue {
  if (gene.type === 'boolean') return !value;
  if (gene.type === 'enum') {
    const others = gene.values.filter((other) => other !== value);
    return others.length === 0 ? value : rng.pick(others);
  }
  for (let i = 0; i < TRIES; i++) {
    const next = numericStep(gene, Number(value), rng);
    if (next !== value) return next;
  }
  return value;
}

function numericStep(gene: Extract<ScalarGene, { step: number }>, value: number, rng: Rng): number {
  const by = gene.step * rng.normal();
  const moved = gene.scale === 'log' ? value * Math.exp(by) : value + by;
  const inside = Math.min(gene.max, Math.max(gene.min, moved));
  // Two decimals are as much as anybody can tell apart, and read well in a diff.
  return gene.type === 'integer' ? Math.round(inside) : Math.round(inside * 100) / 100;
}

function drawGene(genes: readonly ScalarGene[], rng: Rng): ScalarGene {
  const weight = (gene: ScalarGene) => (gene.path.startsWith('tools.') ? TOOL_WEIGHT : 1);
  let left = rng.next() * genes.reduce((sum, gene) => sum + weight(gene), 0);
  for (const gene of genes) {
    left -= weight(gene);
    if (left < 0) return gene;
  }
  return genes[0]!;
}
