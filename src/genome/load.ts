import { type Dirent, existsSync } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { SCALAR_GENES } from './gene-table.ts';
import type { Genome, Rule, Skill } from './genome.ts';
import { parseRule } from './rule.ts';
import { type GenomeProblem, validateGenome } from './schema.ts';
import { parseSkill } from './skill.ts';

const MAX_FILE = 1_000_000;
const MAX_TOTAL = 5_000_000;
const MAX_FILES = 1000;

/**
 * Reads a genome's folder. Every file in it must be a part of the genome: `genome.json`, `rules/<id>.md`,
 * `skills/<name>/…`, `mcp.json`. Sizes and kinds are looked at before anything is read. Throws `UserError` that
 * names the file, for links, large or foreign files, broken front matter, and genes that are unknown or out of range.
 */
export async function loadGenome(dir: string): Promise<Genome> {
  const record = await readGenome(dir);
  const [problem, ...more] = validateGenome(record);
  if (problem === undefined) return record as Genome;
  const suffix = more.length === 0 ? '' : ` (and ${more.length} more)`;
  const hint = 'Correct the file; `evolve validate` lists all that is wrong.';
  throw new UserError(`${describeProblem(dir, problem)}${suffix}`, hint);
}

/** A problem as a line that begins with the file of the genome's folder in which it stands. */
export function describeProblem(dir: string, { path, message }: GenomeProblem): string {
  const [section, name] = path.split('.');
  const files: Record<string, string> = {
    rules: name === undefined ? 'rules' : `rules/${name}.md`,
    skills: name === undefined ? 'skills' : `skills/${name}/SKILL.md`,
    mcp: 'mcp.json',
  };
  return `${join(dir, files[section!] ?? 'genome.json')}: ${path === '' ? 'the genome' : path} ${message}`;
}

/** The record that a genome's folder holds, its genes not yet checked. Throws as `loadGenome` does for the rest. */
export async function readGenome(dir: string): Promise<unknown> {
  const paths = await listFiles(dir);
  const files = new Map<string, string>();
  for (const path of paths) {
    checkKnown(dir, path);
    files.set(path, await readText(join(dir, path)));
  }
  const text = files.get('genome.json');
  if (text === undefined) {
    throw new UserError(
      `${dir}: no genome.json`,
      'A genome is a folder with a genome.json; see genomes/baseline.',
    );
  }
  const rules: Record<string, Rule> = {};
  const skills: Record<string, Skill> = {};
  for (const [path, content] of files) {
    const at = join(dir, path);
    const rule = /^rules\/(.+)\.md$/.exec(path);
    if (rule !== null) rules[rule[1]!] = within(at, () => parseRule(content));
    const skill = /^skills\/([^/]+)\/SKILL\.md$/.exec(path);
    if (skill !== null) skills[skill[1]!] = within(at, () => parseSkill(content, skill[1]!));
  }
  for (const [path, content] of files) {
    const beside = /^skills\/([^/]+)\/(.+)$/.exec(path);
    if (beside === null || beside[2] === 'SKILL.md') continue;
    const owner = Object.hasOwn(skills, beside[1]!) ? skills[beside[1]!] : undefined;
    if (owner === undefined) {
      throw new UserError(
        `${join(dir, 'skills', beside[1]!)}: no SKILL.md`,
        'Add it, or take the folder out.',
      );
    }
    owner.files[beside[2]!] = content;
  }
  const genome: Record<string, unknown> = {
    ...withTools(genesOf(join(dir, 'genome.json'), text)),
    rules,
    skills,
  };
  const mcp = files.get('mcp.json');
  if (mcp !== undefined) genome.mcp = serversOf(join(dir, 'mcp.json'), mcp);
  return genome;
}

/** Relative paths of all files, sorted, once it is known that each may be read. */
async function listFiles(dir: string): Promise<string[]> {
  const stat = await lstat(dir).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      `${dir}: ${error.code === 'ENOENT' ? 'no such folder' : error.message}`,
      'Give the folder of a genome; see genomes/baseline.',
    );
  });
  if (stat.isSymbolicLink()) throw linkRefused(dir);
  if (!stat.isDirectory()) throw new UserError(`${dir}: not a folder`, 'Give the folder of a genome.');
  const found: string[] = [];
  let total = 0;
  const walk = async (below: string): Promise<void> => {
    const entries = await readdir(join(dir, below), { withFileTypes: true });
    if (entries.length === 0 && /^skills\/[^/]+$/.test(below)) {
      throw new UserError(`${join(dir, below)}: no SKILL.md`, 'Add it, or take the folder out.');
    }
    for (const entry of entries) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) {
        await walk(path);
        continue;
      }
      total += await sizeOf(join(dir, path), entry);
      found.push(path);
      if (total > MAX_TOTAL || found.length > MAX_FILES) {
        throw new UserError(
          `${dir}: more than ${MAX_TOTAL / 1e6} MB or ${MAX_FILES} files`,
          'A genome holds rules and skills, not data; take the large files out.',
        );
      }
    }
  };
  await refuseFolderOfGenomes(dir);
  await walk('');
  return found.sort();
}

async function sizeOf(path: string, entry: Dirent): Promise<number> {
  if (entry.isSymbolicLink()) throw linkRefused(path);
  if (!entry.isFile())
    throw new UserError(`${path}: neither a file nor a folder`, 'Take it out of the genome.');
  const { size } = await lstat(path);
  if (size <= MAX_FILE) return size;
  throw new UserError(
    `${path}: ${(size / 1e6).toFixed(1)} MB, more than ${MAX_FILE / 1e6} MB`,
    'A genome holds rules and skills, not data; take the file out.',
  );
}

/** A folder of genomes is an easy mistake; it must not be taken for a broken genome. */
async function refuseFolderOfGenomes(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  if (entries.some((entry) => entry.name === 'genome.json')) return;
  const inside = entries.filter(
    (entry) => entry.isDirectory() && existsSync(join(dir, entry.name, 'genome.json')),
  );
  if (inside.length === 0) return;
  throw new UserError(
    `${dir}: a folder of genomes, not a genome`,
    `Give one of them, such as ${join(dir, inside[0]!.name)}.`,
  );
}

function checkKnown(dir: string, path: string): void {
  if (path === 'genome.json' || path === 'mcp.json') return;
  if (/^rules\/[^/]+\.md$/.test(path) || /^skills\/[^/]+\/.+$/.test(path)) return;
  throw new UserError(
    `${join(dir, path)}: not a part of a genome`,
    'A genome holds genome.json, rules/<id>.md, skills/<name>/ and mcp.json; take the file out.',
  );
}

async function readText(path: string): Promise<string> {
  try {
    const content = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path));
    return content.replaceAll('\r\n', '\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error;
    throw new UserError(`${path}: not text in UTF-8`, 'A genome holds texts only; take the file out.');
  }
}

function recordOf(path: string, text: string): Record<string, unknown> {
  const value = within(path, () => parseJson(text.replace(/^\uFEFF/, '')));
  if (value !== null && typeof value === 'object' && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UserError(`${path}: not a JSON object`, 'See genomes/baseline/genome.json.');
}

function genesOf(path: string, text: string): Record<string, unknown> {
  const record = recordOf(path, text);
  const foreign = ['rules', 'skills', 'mcp'].find((key) => Object.hasOwn(record, key));
  if (foreign === undefined) return record;
  const place = { rules: 'rules/<id>.md', skills: 'skills/<name>/SKILL.md', mcp: 'mcp.json' }[foreign];
  throw new UserError(`${path}: "${foreign}" does not belong here`, `Write it as ${place}.`);
}

/** Tools that `genome.json` does not name are on; every other gene must stand there. */
function withTools(record: Record<string, unknown>): Record<string, unknown> {
  const tools = record.tools ?? {};
  if (typeof tools !== 'object' || Array.isArray(tools)) return record;
  const names = SCALAR_GENES.filter(({ path }) => path.startsWith('tools.')).map(({ path }) => path.slice(6));
  return { ...record, tools: { ...Object.fromEntries(names.map((name) => [name, true])), ...tools } };
}

function serversOf(path: string, text: string): unknown {
  const { mcpServers, ...rest } = recordOf(path, text);
  if (mcpServers !== undefined && Object.keys(rest).length === 0) return mcpServers;
  throw new UserError(`${path}: it must hold "mcpServers" and nothing else`, 'Write {"mcpServers": {…}}.');
}

function within<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UserError(`${path}: ${messageOf(error)}`, 'Correct the file.');
  }
}

function linkRefused(path: string): UserError {
  return new UserError(`${path}: a symbolic link`, 'A genome must hold its files itself; put a copy there.');
}
