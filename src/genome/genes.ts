import { didYouMean } from '../suggest.ts';
import { isGeneName, SCALAR_GENES, scalarGene } from './gene-table.ts';
import type { Genome, Rule, Skill } from './genome.ts';

export type McpServer = NonNullable<Genome['mcp']>[string];
export type GeneValue = number | boolean | string | Rule | Skill | McpServer;

const COLLECTIONS = ['rules', 'skills', 'mcp'] as const;
type Collection = (typeof COLLECTIONS)[number];

/** The paths of all genes that a genome has: scalar genes in the order of the table, then rules, skills, servers. */
export function genePaths(genome: Genome): string[] {
  const named = COLLECTIONS.flatMap((collection) =>
    Object.keys(genome[collection] ?? {})
      .sort()
      .map((name) => `${collection}.${name}`),
  );
  return [...SCALAR_GENES.map(({ path }) => path), ...named];
}

/** Whether a path names a gene that some genome could have: a line of the gene table, or `rules.<id>` and the like. */
export function isGenePath(path: string): boolean {
  return scalarGene(path) !== undefined || namedGene(path) !== null;
}

/** The value of a gene; undefined where the genome has none at that path. */
export function getGene(genome: Genome, path: string): GeneValue | undefined {
  const named = namedGene(path);
  if (named !== null) {
    const members = genome[named.collection] ?? {};
    return Object.hasOwn(members, named.name) ? members[named.name] : undefined;
  }
  if (scalarGene(path) === undefined) return undefined;
  const [section, key] = path.split('.') as [keyof Genome, string];
  return (genome[section] as Record<string, GeneValue>)[key];
}

/**
 * A copy of the genome with one gene set or added; the rest is shared. The value is not checked: that is for
 * `validateGenome`. Throws an `Error` for a path that no genome can have.
 */
export function setGene(genome: Genome, path: string, value: GeneValue): Genome {
  const named = namedGene(path);
  if (named !== null) return withMembers(genome, named.collection, { [named.name]: value }, named.name);
  if (scalarGene(path) === undefined) throw new Error(`no gene "${path}"${suggestion(path)}`);
  const [section, key] = path.split('.') as [keyof Genome, string];
  // −0 would not survive a file.
  const plain = value === 0 ? 0 : value;
  return { ...genome, [section]: { ...(genome[section] as object), [key]: plain } };
}

/** A copy of the genome without a rule, skill or server; the same genome where it has none. Throws for scalar genes. */
export function removeGene(genome: Genome, path: string): Genome {
  const named = namedGene(path);
  if (named === null) {
    if (scalarGene(path) !== undefined) throw new Error(`the gene "${path}" can be changed, not removed`);
    throw new Error(`no gene "${path}"${suggestion(path)}`);
  }
  if (getGene(genome, path) === undefined) return genome;
  return withMembers(genome, named.collection, {}, named.name);
}

function namedGene(path: string): { collection: Collection; name: string } | null {
  const dot = path.indexOf('.');
  const collection = COLLECTIONS.find((known) => known === path.slice(0, dot));
  const name = path.slice(dot + 1);
  return collection === undefined || !isGeneName(name) ? null : { collection, name };
}

/** Members in the order of their names, which is the order that loading gives. */
function withMembers(genome: Genome, collection: Collection, added: object, dropped: string): Genome {
  const rest = Object.entries(genome[collection] ?? {}).filter(([name]) => name !== dropped);
  const members = [...rest, ...Object.entries(added)].sort(([a], [b]) => (a < b ? -1 : 1));
  if (collection === 'mcp' && members.length === 0) {
    const { mcp: _, ...without } = genome;
    return without;
  }
  return { ...genome, [collection]: Object.fromEntries(members) };
}

function suggestion(path: string): string {
  return didYouMean(path, [...SCALAR_GENES.map((gene) => gene.path), 'rules.<id>', 'skills.<name>']);
}
