import { homedir } from 'node:os';
import { join, sep } from 'node:path';
import { runProcess } from '../process/process.ts';
import { type Link, linksOf } from './links.ts';
import { probe, whyNot } from './probe.ts';
import { detectSandbox } from './sandbox.ts';
import { systemPaths } from './walls.ts';
import { which } from './which.ts';

/**
 * An interpreter. `folders` are those it reads beside the system's: its prefix, and the one it was made from; and itself, where
 * it stands in neither. `links` lead to it, where they are not in a folder that is read.
 */
export type Python = { path: string; version: string; folders: string[]; links: Link[] };

/** Null where there is none to be used, and why; else `why` says which it is. */
export type FoundPython = { python: Python | null; why: string };

/** The Python that jobs run on: EVOLVE_PYTHON (a path, or a name on the PATH), else `python3`. Each looked for once a process. */
export function findPython(name = process.env.EVOLVE_PYTHON || 'python3'): Promise<FoundPython> {
  const known = found.get(name) ?? find(name);
  found.set(name, known);
  return known;
}

/** Versions of a Python (major.minor, as `Python`) and of modules, by name; and what of these it lacks, a line each. */
export type Equipped = { versions: Record<string, string>; faults: string[] };

/**
 * Chooses the Python of jobs by the modules that they import: EVOLVE_PYTHON alone, where that is set; else the first of
 * `python3`, the system's own and `others` that has them all. From then on it is EVOLVE_PYTHON, for jobs too. Where
 * none has, it gives what `python3` lacks.
 */
export async function choosePython(
  modules: readonly string[],
  others: readonly string[] = [],
): Promise<Equipped> {
  const { EVOLVE_PYTHON } = process.env;
  const names = EVOLVE_PYTHON ? [EVOLVE_PYTHON] : ['python3', '/usr/bin/python3', ...others];
  let first: Equipped | undefined;
  for (const name of names) {
    const equipped = await equipmentOf(name, modules);
    if (equipped.faults.length === 0) {
      process.env.EVOLVE_PYTHON = name;
      return equipped;
    }
    first ??= equipped;
  }
  return first as Equipped;
}

/** What the Python of that name has. */
export async function equipmentOf(name: string, modules: readonly string[]): Promise<Equipped> {
  const { python, why } = await findPython(name);
  if (python === null) return { versions: {}, faults: [why] };
  const versions: Equipped['versions'] = { Python: python.version.split('.', 2).join('.') };
  const faults: string[] = [];
  const tried = await Promise.all(modules.map(async (one) => ({ one, ...(await tryImport(one, name)) })));
  for (const { one, version, why } of tried) {
    if (version === null) faults.push(`${python.path} cannot import ${one} (${why})`);
    else versions[one] = version;
  }
  return { versions, faults };
}

/**
 * Can a job import this module? Tried in the sandbox, as a job would. `version` is what the module calls itself, or
 * empty; null where it cannot be imported, and why.
 */
export async function tryImport(
  module: string,
  name?: string,
): Promise<{ version: string | null; why: string }> {
  const { python, why } = await findPython(name);
  if (python === null) return { version: null, why };
  const code = `import importlib, sys; print(getattr(importlib.import_module(sys.argv[1]), '__version__', ''))`;
  const command = ['python', '-c', code, module];
  const ended = await probe(await detectSandbox(), command, { seconds: 60, memoryMb: 16_384, python });
  if (ended.cause !== 'exit' || ended.code !== 0) return { version: null, why: whyNot(ended) };
  const version = ended.output.trim().split('\n').at(-1) as string;
  return { version, why: `${module} ${version} of ${why}` };
}

const found = new Map<string, Promise<FoundPython>>();

const question = `import json, sys
print(json.dumps([sys.executable, '.'.join(map(str, sys.version_info[:3])),
  [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]]))`;

async function find(name: string): Promise<FoundPython> {
  const none = (why: string) => ({ python: null, why });
  const program = which(name);
  if (program === null) return none(`no ${name} was found`);
  // It may be a script that looks for versions in the home; a job itself sees none.
  const env = { PATH: process.env.PATH ?? '', HOME: homedir() };
  const argv = [program, '-c', question];
  const ended = await runProcess({ argv, env, cwd: '/', seconds: 20, outputBytes: 10_000 });
  if (ended.cause !== 'exit' || ended.code !== 0) return none(`${name} does not run: ${whyNot(ended)}`);
  try {
    const answer = JSON.parse(ended.output.trim().split('\n').at(-1) as string);
    const [path, version, prefixes] = answer as [string, string, string[]];
    const { folders, links } = needsOf(path, prefixes);
    const wide = folders.find(isTooWide);
    if (wide !== undefined) return none(`${path} reads all of ${wide}, which jobs must not see`);
    return { python: { path, version, folders, links }, why: `Python ${version}, ${path}` };
  } catch {
    return none(`${name} does not answer as Python does`);
  }
}

/**
 * Each once, without what the system's folders hold already. Never the folder around that of the program: what else is in
 * `~/.local`, or in a project, is nobody's business.
 */
function needsOf(path: string, prefixes: readonly string[]): Pick<Python, 'folders' | 'links'> {
  const folders = [...new Set(prefixes)].filter((dir) => !isIn(systemPaths, dir));
  const { links, file } = linksOf(path);
  const isRead = (at: string) => isIn([...systemPaths, ...folders], at);
  const needed = links.filter(({ at }) => !isRead(at) && !folders.some((dir) => isIn([at], dir)));
  return { folders: isRead(file) ? folders : [...folders, file], links: needed };
}

function isIn(roots: readonly string[], path: string): boolean {
  return roots.some((root) => path === root || path.startsWith(root + sep));
}

/** A folder right below the root, one that holds the home, or the one in it where all programs keep what is theirs. */
function isTooWide(dir: string): boolean {
  const home = homedir();
  return dir.split(sep).filter(Boolean).length < 2 || isIn([dir], home) || dir === join(home, '.local');
}
