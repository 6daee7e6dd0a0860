import { compileSchema, type Schema, type SchemaProblem } from '../json-schema.ts';
import {
  MAX_NAME,
  MCP_GENES,
  NAME_PATTERN,
  NAME_RULE,
  RULE_GENES,
  SCALAR_GENES,
  type ScalarGene,
  SKILL_GENES,
} from './gene-table.ts';
import type { Genome } from './genome.ts';
import { recordProblems } from './record-problems.ts';

/** Something wrong with a genome, at the gene's path; `''` is the whole genome. */
export type GenomeProblem = SchemaProblem;

/** Any character but lone surrogates (which files cannot hold) and controls other than tab and line feed. */
const TEXT = '^[^\\p{Cs}\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]*$';
const LINE = '^[^\\p{Cs}\\u0000-\\u001f\\u007f-\\u009f]*$';
/** Relative, without hidden parts, `..` or blanks; `SKILL.md` itself is the skill's body. */
const FILE =
  '^(?![sS][kK][iI][lL][lL]\\.[mM][dD]$)[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,4}$';

/** The JSON Schema (2020-12) of a genome, derived from the gene table. */
export const genomeSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Genome',
  ...object(
    {
      sampling: section('sampling'),
      rules: named(
        RULE_GENES.maxCount,
        object({ when: { enum: RULE_GENES.triggers }, text: text(RULE_GENES.maxText, 1) }),
      ),
      skills: named(
        SKILL_GENES.maxCount,
        object(
          {
            description: {
              ...text(SKILL_GENES.maxDescription, 1),
              pattern: TEXT.replace('[^', '[^<>'),
              description: 'a text without "<", ">" and control characters',
            },
            body: text(SKILL_GENES.maxBody),
            files: {
              type: 'object',
              maxProperties: SKILL_GENES.maxFiles,
              propertyNames: {
                maxLength: 200,
                pattern: FILE,
                description:
                  'a relative path of letters, digits, ".", "_" and "-" that does not leave the folder',
              },
              additionalProperties: text(SKILL_GENES.maxFile),
            },
            license: text(500),
            compatibility: text(SKILL_GENES.maxCompatibility),
            metadata: { type: 'object', maxProperties: 50, additionalProperties: text(1000) },
          },
          ['license', 'compatibility', 'metadata'],
        ),
      ),
      memory: section('memory'),
      loop: section('loop'),
      tools: section('tools'),
      limits: section('limits'),
      mcp: named(
        MCP_GENES.maxCount,
        object(
          {
            command: { ...text(500, 1), pattern: LINE },
            args: { type: 'array', maxItems: 50, items: { ...text(2000), pattern: LINE } },
            env: {
              type: 'object',
              maxProperties: 50,
              propertyNames: {
                pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
                description: 'a name of an environment variable',
              },
              additionalProperties: {
                type: 'string',
                pattern: '^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$',
                description: `a reference to the environment, \${NAME}, and never the secret itself`,
              },
            },
          },
          ['args', 'env'],
        ),
      ),
    },
    ['mcp'],
  ),
};

const genomeProblems = compileSchema(genomeSchema);

/** All that is wrong with what should be a genome; an empty list for a good one. Never throws. */
export function validateGenome(value: unknown): GenomeProblem[] {
  const problems = genomeProblems(value);
  if (problems.length === 0) return recordProblems(value as Genome);
  return problems.map(({ path, message }) => {
    const [section, name, ...rest] = path.split('.');
    if (rest.length === 0) return { path, message };
    return { path: `${section}.${name}`, message: `${rest.join('.')} ${message}` };
  });
}

function section(name: string): Schema {
  const genes = SCALAR_GENES.filter(({ path }) => path.startsWith(`${name}.`));
  return object(Object.fromEntries(genes.map((gene) => [gene.path.slice(name.length + 1), scalar(gene)])));
}

function scalar(gene: ScalarGene): Schema {
  if (gene.type === 'enum') return { enum: gene.values };
  if (gene.type === 'boolean') return { type: 'boolean' };
  return { type: gene.type, minimum: gene.min, maximum: gene.max };
}

/** A record whose members are all required, but for the optional ones. */
function object(properties: Record<string, Schema>, optional: string[] = []): Schema {
  const required = Object.keys(properties).filter((key) => !optional.includes(key));
  return { type: 'object', properties, required, additionalProperties: false };
}

/** A collection of genes by name. */
function named(maxProperties: number, member: Schema): Schema {
  const propertyNames = { maxLength: MAX_NAME, pattern: NAME_PATTERN, description: `a name of ${NAME_RULE}` };
  return { type: 'object', maxProperties, propertyNames, additionalProperties: member };
}

function text(maxLength: number, minLength = 0): Schema {
  return {
    type: 'string',
    minLength,
    maxLength,
    pattern: TEXT,
    description: 'a text without control characters',
  };
}
