import { didYouMean } from '../suggest.ts';
import { type FrontMatter, formatFrontMatter, parseFrontMatter } from './front-matter.ts';
import { isGeneName, NAME_RULE, SKILL_GENES } from './gene-table.ts';
import type { Skill } from './genome.ts';

const FIELDS = ['name', 'description', 'license', 'compatibility', 'metadata'];

/**
 * Reads the text of a `SKILL.md` (agentskills.io) that lies in the folder `folderName`; the skill's other `files`
 * are for the caller to add. Throws an `Error` that says what is wrong: the name's form, a name that is not the
 * folder's, a description that is missing, too long or has `<` or `>`, and fields that are not of the format.
 * `allowed-tools` is refused, because tools are genes of their own here.
 */
export function parseSkill(text: string, folderName: string): Skill {
  const { fields, body } = parseFrontMatter(text);
  for (const key of Object.keys(fields)) {
    if (key === 'allowed-tools')
      throw new Error('front matter: "allowed-tools" is not supported; take it out');
    if (!FIELDS.includes(key))
      throw new Error(`front matter: unknown field "${key}"${didYouMean(key, FIELDS)}`);
  }
  const name = textField(fields, 'name');
  if (name === undefined) throw new Error('front matter: "name" is missing');
  if (!isGeneName(name)) throw new Error(`front matter: the name "${name}" must be ${NAME_RULE}`);
  if (name !== folderName)
    throw new Error(`front matter: the name "${name}" must equal its folder, "${folderName}"`);
  const description = textField(fields, 'description');
  if (description === undefined || description === '')
    throw new Error('front matter: "description" is missing');
  if (description.length > SKILL_GENES.maxDescription) {
    throw new Error(
      `front matter: the description has ${description.length} characters, more than ${SKILL_GENES.maxDescription}`,
    );
  }
  if (/[<>]/.test(description)) throw new Error('front matter: the description must not contain "<" or ">"');
  const license = textField(fields, 'license');
  const compatibility = textField(fields, 'compatibility');
  const { metadata } = fields;
  if (typeof metadata === 'string') throw new Error('front matter: "metadata" must be a mapping of texts');
  return {
    description,
    body,
    files: {},
    ...(license === undefined ? {} : { license }),
    ...(compatibility === undefined ? {} : { compatibility }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** The text of the skill's `SKILL.md`; `parseSkill` reads it back. */
export function formatSkill(name: string, skill: Skill): string {
  const { description, license, compatibility, metadata } = skill;
  const fields: FrontMatter = { name, description };
  if (license !== undefined) fields.license = license;
  if (compatibility !== undefined) fields.compatibility = compatibility;
  if (metadata !== undefined) fields.metadata = metadata;
  return formatFrontMatter(fields, skill.body);
}

function textField(fields: FrontMatter, key: string): string | undefined {
  const value = fields[key];
  if (value !== undefined && typeof value !== 'string')
    throw new Error(`front matter: "${key}" must be a text`);
  return value;
}
