import { diffGenomes, type GeneChange } from './diff.ts';
import { getGene, removeGene, setGene } from './genes.ts';
import type { Genome } from './genome.ts';
import { validateGenome } from './schema.ts';

/** The genome with the genes at these paths as `origin` has them; one that `origin` lacks is taken out. */
export function putBack(genome: Genome, origin: Genome, paths: readonly string[]): Genome {
  return paths.reduce((current, path) => {
    const value = getGene(origin, path);
    return value === undefined ? removeGene(current, path) : setGene(current, path, value);
  }, genome);
}

/**
 * The genes that differ between `origin` and `genome`, in groups that can be put back alone: one gene each, but for those
 * without which the rest would be no valid genome (a rule that `origin` had, where there is room for no further one).
 * Such a gene goes with the first other group that makes it valid, else with the first there is. Both genomes are
 * valid, so in the worst case all genes are one group.
 */
export function groupsApart(origin: Genome, genome: Genome): GeneChange[][] {
  const groups = diffGenomes(origin, genome).map((change) => [change]);
  const holds = (group: readonly GeneChange[]) =>
    validateGenome(
      putBack(
        genome,
        origin,
        group.map(({ path }) => path),
      ),
    ).length === 0;
  for (;;) {
    const group = groups.find((one) => !holds(one));
    const others = groups.filter((one) => one !== group);
    if (group === undefined || others.length === 0) return groups;
    const partner = others.find((one) => holds([...one, ...group])) ?? others[0]!;
    partner.push(...group);
    groups.splice(groups.indexOf(group), 1);
  }
}
