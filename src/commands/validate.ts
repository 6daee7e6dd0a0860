import { lstat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import { describeProblem, readGenome } from '../genome/load.ts';
import { validateGenome } from '../genome/schema.ts';
import { readConstitution } from '../guard/constitution.ts';
import { counted } from '../report/format.ts';
import type { Given } from '../settings.ts';
import { loadSuite } from '../suite/load.ts';
import { refuseSharedData } from '../suite/shared-data.ts';
import { writeSealedAudit } from '../suite/write-audit.ts';
import { type Context, EXIT } from './context.ts';

/** What was found at a path; no problems means that `evolve` would take it. */
export type Check = {
  path: string;
  kind: 'genome' | 'suite' | 'constitution' | 'config' | 'unknown';
  problems: string[];
  /** What an audit found, where one was asked for. */
  notes?: string[];
};

/**
 * `evolve validate [--audit] PATH…`: a line for each thing found, and below it what is wrong. Exit code 2 if anything is.
 * With `--audit` the sealed tasks of suites are tried with agents that know nothing, and suite.json keeps the result.
 */
export async function validate(paths: string[], flags: Given, context: Context): Promise<number> {
  const checks = await checkPaths(paths);
  if (flags.audit) for (const check of checks) await addAudit(check);
  if (flags.json) context.print(JSON.stringify(checks, null, 2));
  else for (const check of checks) context.print(format(check));
  return checks.some(({ problems }) => problems.length > 0) ? EXIT.usage : EXIT.finished;
}

/**
 * Checks genomes, folders of genomes (and the constitution among them), suites, constitutions and configurations.
 * Never rejects for what is wrong with them. A folder of genomes gives a check for each.
 */
export async function checkPaths(paths: string[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const path of paths) checks.push(...(await checkPath(path)));
  return checks;
}

async function checkPath(path: string): Promise<Check[]> {
  const unknown = (problem: string): Check[] => [
    { path, kind: 'unknown', problems: [`${path}: ${problem}`] },
  ];
  const stat = await lstat(path).catch(() => null);
  if (stat === null) return unknown('no such file or folder');
  if (!stat.isDirectory()) {
    if (basename(path) === 'constitution.json') return [await checkConstitution(path)];
    if (/\.(json|ya?ml)$/.test(path)) return [await checkConfig(path)];
    return unknown('neither a genome, a suite, a constitution nor a configuration');
  }
  const entries = await readdir(path);
  if (entries.includes('genome.json')) return [await checkGenome(path)];
  if (entries.includes('suite.json'))
    return [await attempt(path, 'suite', async () => refuseSharedData(await loadSuite(path)))];
  const checks: Check[] = [];
  for (const entry of entries.sort()) {
    const below = join(path, entry);
    if (entry === 'constitution.json') checks.push(await checkConstitution(below));
    else if (await exists(join(below, 'genome.json'))) checks.push(await checkGenome(below));
  }
  return checks.length > 0 ? checks : unknown('no genome.json, no suite.json, and no genomes in it');
}

async function checkGenome(path: string): Promise<Check> {
  let record: unknown;
  const read = await attempt(path, 'genome', async () => {
    record = await readGenome(path);
  });
  if (read.problems.length > 0) return read;
  return { ...read, problems: validateGenome(record).map((problem) => describeProblem(path, problem)) };
}

function checkConstitution(path: string): Promise<Check> {
  return attempt(path, 'constitution', () => readConstitution(path));
}

async function checkConfig(path: string): Promise<Check> {
  const check = await attempt(path, 'config', () => readConfig({ config: path }));
  return { ...check, problems: check.problems.map((problem) => problem.replace(/^--config /, '')) };
}

async function addAudit(check: Check): Promise<void> {
  if (check.kind !== 'suite' || check.problems.length > 0) return;
  const suite = await loadSuite(check.path);
  if (!suite.tasks.some(({ role }) => role === 'sealed')) {
    check.notes = ['no sealed task to audit: the others are tried before every run'];
    return;
  }
  const { tasks } = await writeSealedAudit(suite);
  const unfit = Object.entries(tasks).flatMap(([id, fault]) => (fault === null ? [] : [`${id}: ${fault}`]));
  check.notes = [
    `${counted(Object.keys(tasks).length, 'sealed task')} audited, ${unfit.length > 0 ? `${unfit.length} unfit: runs leave those out` : 'all fit'}`,
    ...unfit,
  ];
}

async function attempt(path: string, kind: Check['kind'], read: () => Promise<unknown>): Promise<Check> {
  try {
    await read();
    return { path, kind, problems: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { path, kind, problems: [error.message] };
  }
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function format({ path, kind, problems, notes = [] }: Check): string {
  if (problems.length === 0)
    return [`ok       ${kind} ${path}`, ...notes.map((note) => `  ${note}`)].join('\n');
  return [`PROBLEMS ${kind} ${path}`, ...problems.map((problem) => `  ${problem}`)].join('\n');
}
