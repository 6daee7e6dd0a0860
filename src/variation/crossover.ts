import { diffGenomes } from '../genome/diff.ts';
import { getGene, removeGene, setGene } from '../genome/genes.ts';
import type { Genome } from '../genome/genome.ts';
import type { Rng } from '../rng.ts';

/**
 * The first parent with some genes of the second: of the genes in which they differ each comes from either with
 * equal chance (uniform crossover, Syswerda 1989), at least one from each if there are two or more. A rule or a
 * skill is one gene; those whose paths are `frozen` stay the first's. `taken` are the paths that came from the second.
 */
export function crossover(
  first: Genome,
  second: Genome,
  rng: Rng,
  frozen: readonly string[] = [],
): { genome: Genome; taken: string[] } {
  const paths = diffGenomes(first, second)
    .map((change) => change.path)
    .filter((path) => !frozen.includes(path));
  const drawn = paths.filter(() => rng.next() < 0.5);
  const taken = forced(paths, drawn, rng);
  let genome = first;
  for (const path of taken) {
    const value = getGene(second, path);
    genome = value === undefined ? removeGene(genome, path) : setGene(genome, path, value);
  }
  return { genome, taken };
}

/** A child that is one of its parents would be no child. */
function forced(paths: readonly string[], drawn: string[], rng: Rng): string[] {
  if (paths.length === 0) return [];
  const odd = rng.pick(paths);
  if (drawn.length === 0) return [odd];
  return drawn.length === paths.length && paths.length > 1 ? drawn.filter((path) => path !== odd) : drawn;
}
