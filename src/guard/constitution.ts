import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, UserError } from '../errors.ts';
import { scalarGene } from '../genome/gene-table.ts';
import { parseJson } from '../json.ts';
import { compileSchema } from '../json-schema.ts';

/**
 * What evolution may do. Paths are of genes (`sampling.temperature`) or sections (`mcp`); the longest that fits
 * decides, and what none fits is denied.
 */
export type Constitution = {
  version: 1;
  allow: string[];
  ask: string[];
  deny: string[];
  /** Narrower bounds than the gene table's, by path of a number. */
  bounds: Record<string, { min: number; max: number }>;
  most: { rules: number; skills: number; ruleCharacters: number };
  /** What becomes of skills with files in `scripts/`. */
  scripts: 'allow' | 'ask' | 'deny';
  /** Whole words, in any case, that neither rules nor skills may hold. */
  forbiddenWords: string[];
};

const FILE = 'constitution.json';
const paths = {
  type: 'array',
  items: { type: 'string', pattern: '^[a-z_]+(\\.[a-z0-9_-]+)?$' },
  uniqueItems: true,
};
const count = { type: 'integer', minimum: 0, maximum: 24 };

const problems = compileSchema({
  type: 'object',
  required: ['version', 'allow', 'ask', 'deny', 'bounds', 'most', 'scripts', 'forbiddenWords'],
  additionalProperties: false,
  properties: {
    version: { enum: [1] },
    allow: paths,
    ask: paths,
    deny: paths,
    bounds: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['min', 'max'],
        additionalProperties: false,
        properties: { min: { type: 'number' }, max: { type: 'number' } },
      },
    },
    most: {
      type: 'object',
      required: ['rules', 'skills', 'ruleCharacters'],
      additionalProperties: false,
      properties: {
        rules: count,
        skills: count,
        ruleCharacters: { type: 'integer', minimum: 1, maximum: 2000 },
      },
    },
    scripts: { enum: ['allow', 'ask', 'deny'] },
    forbiddenWords: { type: 'array', items: { type: 'string', minLength: 3 }, uniqueItems: true },
  },
});

/**
 * The constitution for the founders in `genomesDir`: its `constitution.json`, or where it has none, the one that
 * ships. Throws `UserError` for a file that is broken. Read it before the search starts, and not again.
 */
export async function loadConstitution(genomesDir: string): Promise<Constitution> {
  const own = join(genomesDir, FILE);
  const there = await lstat(own).then(
    () => true,
    () => false,
  );
  return readConstitution(there ? own : fileURLToPath(new URL(`../../genomes/${FILE}`, import.meta.url)));
}

/** Reads and checks one file. Throws `UserError` that names it. */
export async function readConstitution(file: string): Promise<Constitution> {
  const refuse = (what: string) =>
    new UserError(`${file}: ${what}`, 'Correct it; see genomes/constitution.json.');
  let value: unknown;
  try {
    if (!(await lstat(file)).isFile()) throw new Error('not a plain file');
    value = parseJson(await readFile(file, 'utf8'));
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const [problem] = problems(value);
  if (problem !== undefined) throw refuse(`${problem.path} ${problem.message}`.trim());
  const constitution = value as Constitution;
  for (const [path, { min, max }] of Object.entries(constitution.bounds)) {
    const gene = scalarGene(path);
    if (gene === undefined || !('min' in gene)) throw refuse(`bounds: "${path}" is no gene with a number`);
    if (min > max || min < gene.min || max > gene.max) {
      throw refuse(`bounds: "${path}" must lie within ${gene.min} to ${gene.max}, the lower bound first`);
    }
  }
  return constitution;
}
