import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Genome } from './genome.ts';
import { formatRule } from './rule.ts';
import { validateGenome } from './schema.ts';
import { formatSkill } from './skill.ts';

/**
 * Writes a genome as a folder that `loadGenome` reads back as an equal record. `dir` is made where it is missing;
 * a genome that stands there is replaced; any other folder that is not empty is refused. Throws an `Error` for a
 * genome that is not valid, before anything is written. Not atomic: who needs that writes beside and renames.
 */
export async function saveGenome(genome: Genome, dir: string): Promise<void> {
  const problem = validateGenome(genome)[0];
  if (problem !== undefined)
    throw new Error(`a genome that cannot be saved: ${problem.path} ${problem.message}`);
  await mkdir(dir, { recursive: true });
  const present = await readdir(dir);
  if (present.length > 0 && !present.includes('genome.json')) throw new Error(`${dir} holds something else`);
  for (const part of ['genome.json', 'mcp.json', 'rules', 'skills']) {
    await rm(join(dir, part), { recursive: true, force: true });
  }
  for (const [path, text] of Object.entries(filesOf(genome))) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

/** The files of a genome's folder by relative path, `genome.json` last: with it, the folder is whole. */
export function filesOf(genome: Genome): Record<string, string> {
  const { sampling, memory, loop, tools, limits, rules, skills, mcp } = genome;
  const files: Record<string, string> = {};
  for (const [id, rule] of Object.entries(rules)) files[`rules/${id}.md`] = formatRule(rule);
  for (const [name, skill] of Object.entries(skills)) {
    files[`skills/${name}/SKILL.md`] = formatSkill(name, skill);
    for (const [path, text] of Object.entries(skill.files)) files[`skills/${name}/${path}`] = text;
  }
  if (mcp !== undefined) files['mcp.json'] = pretty({ mcpServers: mcp });
  files['genome.json'] = pretty({ sampling, memory, loop, tools, limits });
  return files;
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
