import { join } from 'node:path';
import { UserError } from '../errors.ts';
import type { Candidate } from '../event.ts';
import { diffGenomes } from '../genome/diff.ts';
import type { Genome } from '../genome/genome.ts';
import { change, clip, gain, score, table } from '../report/format.ts';
import { ancestryOf, gainOf } from '../report/lineages.ts';
import type { Given } from '../settings.ts';
import type { State } from '../state.ts';
import { readRun } from '../store/run-dir.ts';
import { type Context, EXIT } from './context.ts';
import { displayed } from './read-report.ts';

/** `evolve show RUN CANDIDATE`: a genome, its ancestry and the diff to its parent. */
export async function show(folder: string, name: string, flags: Given, context: Context): Promise<number> {
  const { state, loadGenome } = await readRun(folder);
  const candidate = find(state, name, folder);
  const genome = await loadGenome(candidate.id);
  const ancestors = ancestryOf(candidate, state);
  const parent = candidate.parents[0];
  const changes = parent === undefined ? [] : diffGenomes(await loadGenome(parent), genome);
  const estimate = state.estimates.get(candidate.id) ?? null;
  const where = join(displayed(folder), 'genomes', candidate.id);
  if (flags.json) {
    const standing = standingOf(candidate, state);
    const document = {
      candidate,
      standing,
      estimate,
      ancestry: ancestors.map(({ id }) => id),
      changes,
      genome,
    };
    context.print(JSON.stringify({ ...document, where }, null, 2));
    return EXIT.finished;
  }
  const { id, lineage, generation, operator, hypothesis } = candidate;
  const lines = [
    `${id}  ${standingOf(candidate, state)}`,
    `lineage ${lineage}, generation ${generation}, by ${operator}`,
    ...(hypothesis ? [`hoped for: ${clip(hypothesis, 300)}`] : []),
    estimate
      ? `gain on search tasks ${gain(estimate.shrunk)} ± ${score(estimate.error)}, score ${score(estimate.score)}, ${estimate.n} pairs with the baseline`
      : 'not measured',
    '',
    'Ancestry, founder first',
    indent(
      table(
        ancestors.map((ancestor) => ancestryLine(ancestor, state)),
        [0, 1, 2, 4],
      ),
    ),
    ...(parent === undefined ? [] : ['', `Changed from its parent ${parent}`]),
    ...changes.map((item) => `  ${change(item, 120)}`),
    '',
    'Genome',
    indent(table(genesOf(genome), [0, 1])),
    '',
    `As a folder: ${where}/`,
  ];
  context.print(lines.join('\n'));
  return EXIT.finished;
}

/** By `champion`, `baseline`, an id, or the beginning of one. */
function find(state: State, name: string, folder: string): Candidate {
  if (name === 'champion' && state.champion === null) {
    throw new UserError(`${folder} has no champion yet`, 'it is chosen when the last generation is through');
  }
  const wanted = name === 'champion' ? state.champion! : name === 'baseline' ? state.baseline : name;
  const matches = [...state.candidates.values()].filter(({ id }) => id.startsWith(wanted));
  const exact = matches.find(({ id }) => id === wanted);
  if (exact) return exact;
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0) {
    throw new UserError(
      `${folder} has no candidate '${name}'`,
      'give an id or its beginning, or champion or baseline; ids stand in report.md',
    );
  }
  const some = matches.slice(0, 5).map(({ id }) => id);
  throw new UserError(
    `'${name}' fits ${matches.length} candidates of ${folder}`,
    `such as ${some.join(', ')}`,
  );
}

function standingOf({ id }: Candidate, state: State): string {
  const words = [
    id === state.champion ? 'champion' : '',
    id === state.baseline ? 'baseline' : '',
    state.survivors.includes(id)
      ? 'alive'
      : state.dropped.has(id)
        ? 'dropped after its first tasks'
        : 'not alive',
  ];
  return words.filter(Boolean).join(', ');
}

function ancestryLine(candidate: Candidate, state: State): string[] {
  const paths = candidate.changes.map((item) => item.path).join(', ');
  return [
    `generation ${candidate.generation}`,
    candidate.id,
    candidate.operator,
    gain(gainOf(candidate.id, state)),
    clip(paths, 60),
  ];
}

/** Genes by path, one a line; long texts are cut. */
function genesOf(genome: Genome): string[][] {
  const { rules, skills, mcp = {}, ...plain } = genome;
  return [
    ...Object.entries(plain).flatMap(([section, genes]) =>
      Object.entries(genes).map(([key, value]) => [`${section}.${key}`, String(value)]),
    ),
    ...Object.entries(rules).map(([id, { when, text }]) => [`rules.${id}`, `${when}: ${clip(text, 100)}`]),
    ...Object.entries(skills).map(([skill, { description }]) => [`skills.${skill}`, clip(description, 100)]),
    ...Object.entries(mcp).map(([server, { command }]) => [`mcp.${server}`, command]),
  ];
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
