import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { didYouMean } from '../suggest.ts';
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

/** Something wrong with a value, at a dotted path (for genomes the gene's); `''` is the whole value. */
export type GenomeProblem = { path: string; message: string };

type Schema = Record<string, unknown>;

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

/** A check against a JSON Schema (2020-12), with problems in plain English. The one place where ajv is used. */
export function compileSchema(schema: Schema): (value: unknown) => GenomeProblem[] {
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strictTuples: false });
  const check = ajv.compile(schema);
  return (value) => {
    if (check(value)) return [];
    const seen = new Set<string>();
    // A bad name gives a second error for the object that has it.
    const errors = check.errors!.filter(({ keyword }) => keyword !== 'propertyNames');
    return errors.map(problem).filter(({ path, message }) => {
      const known = seen.has(`${path} ${message}`);
      seen.add(`${path} ${message}`);
      return !known;
    });
  };
}

function problem(error: ErrorObject): GenomeProblem {
  const { keyword, params, data, propertyName } = error;
  const parent = (error.parentSchema ?? {}) as Schema;
  const steps = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (propertyName !== undefined) steps.push(propertyName);
  const at = (extra?: string) => [...steps, ...(extra === undefined ? [] : [extra])].join('.');
  switch (keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const options = Object.keys((parent.properties ?? {}) as object);
      return {
        path: at(key),
        message: `is unknown${didYouMean(key, options)}; known are ${options.join(', ')}`,
      };
    }
    case 'required':
      return { path: at(String(params.missingProperty)), message: 'is missing' };
    case 'minimum':
    case 'maximum':
      return { path: at(), message: `is ${data}, outside ${parent.minimum} to ${parent.maximum}` };
    case 'type':
      return { path: at(), message: `must be ${typeName(String(params.type))}, and is ${short(data)}` };
    case 'enum': {
      const options = (params.allowedValues as unknown[]).map(String);
      const guess = typeof data === 'string' ? didYouMean(data, options) : '';
      return { path: at(), message: `is ${short(data)}${guess}, not one of ${options.join(', ')}` };
    }
    case 'maxProperties':
    case 'maxItems':
      return { path: at(), message: `has more than ${params.limit} members` };
    case 'maxLength':
      return { path: at(), message: `has ${[...String(data)].length} characters, more than ${params.limit}` };
    case 'minLength':
      return { path: at(), message: 'is empty' };
    case 'pattern':
      return { path: at(), message: `must be ${parent.description ?? `like ${parent.pattern}`}` };
    default:
      return { path: at(), message: error.message ?? keyword };
  }
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

function typeName(type: string): string {
  const names: Record<string, string> = {
    number: 'a number',
    integer: 'a whole number',
    boolean: 'true or false',
    string: 'a text',
    object: 'an object',
    array: 'a list',
  };
  return names[type] ?? type;
}

function short(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length <= 60 ? json : `${json.slice(0, 57)}...`;
}
