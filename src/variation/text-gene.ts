import { getGene } from '../genome/genes.ts';
import type { Genome, Rule, Skill } from '../genome/genome.ts';
import type { Json } from '../json.ts';

/** What a model may write of a rule or a skill. It sees no other fields (files, licence), and so changes none. */
const FIELDS: Record<'rule' | 'skill', readonly string[]> = {
  rule: ['when', 'text'],
  skill: ['description', 'body'],
};

/** Whether a path is that of a rule or a skill. */
export function isTextGene(path: string): boolean {
  return /^(rules|skills)\./.test(path);
}

/** What a rule or a skill is called in prompts and refusals. */
export function kindOf(path: string): 'rule' | 'skill' {
  return path.startsWith('rules.') ? 'rule' : 'skill';
}

/**
 * A rule or a skill as a model wrote it, a skill with what `genome` has of it that no model sees; or in one sentence what
 * is wrong. Only fields and invisible characters are looked at: the rest is for `validateGenome` and the guard.
 */
export function readTextGene(genome: Genome, path: string, value: Json | undefined): Rule | Skill | string {
  const kind = kindOf(path);
  if (value === null || value === undefined || typeof value !== 'object' || Array.isArray(value))
    return `the value of a ${kind} must be an object with ${FIELDS[kind].map((field) => `"${field}"`).join(' and ')}`;
  const odd = Object.keys(value).find((key) => !FIELDS[kind].includes(key));
  if (odd !== undefined) return `a ${kind} has no field "${odd}" that could be edited`;
  if (Object.values(value).some(hasInvisible)) return 'the value holds invisible characters';
  if (kind === 'rule') return value as unknown as Rule;
  const unseen = getGene(genome, path) as Skill | undefined;
  return { files: {}, ...unseen, ...value } as unknown as Skill;
}

/** Characters that nobody sees would hide a word from the guard and from people. Controls are the schema's business. */
function hasInvisible(value: Json): boolean {
  return typeof value === 'string' && /\p{Cf}/u.test(value);
}
