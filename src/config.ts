import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, UserError } from './errors.ts';
import { didYouMean } from './suggest.ts';

/** All that a run is told: flags over file over environment over defaults. */
export type RunConfig = {
  population: number;
  generations: number;
  suite: string;
  genomes: string;
  model: string;
  seed: number;
  /** Threads. */
  workers: number;
  /** Trials in flight. */
  concurrency: number;
  /** The run's folder; null for a new `runs/<date>-<n>`. */
  out: string | null;
  budgetUsd: number | null;
  budgetTrials: number | null;
  maxTimeMs: number | null;
  jobCache: boolean;
  search: SearchSettings;
};

/** What decides the search beside population, seed and suite; part of a run's identity. */
export type SearchSettings = {
  tournament: number;
  /** How many of the best are kept and measured again each generation. */
  elites: number;
  /** How many search tasks a new candidate meets first. */
  firstTasks: number;
  /** Repeats of all search tasks that finalists get at the end, and how many finalists. */
  finalRepeats: number;
  finalists: number;
  sealedRepeats: number;
};

/** One setting of a run: a flag `--name`, and the key `name` of a config file. */
export type Setting = {
  name: string;
  kind: 'integer' | 'number' | 'duration' | 'text' | 'switch';
  /** What stands for the value in the help. */
  value: string;
  about: string;
  /** Inclusive; for durations in milliseconds. */
  min?: number;
  max?: number;
  group: 'run' | 'search';
};

/** Every setting, in the order of the help. Flags, config files and bounds all come from this table. */
export const SETTINGS: readonly Setting[] = [
  number('population', 'integer', 'N', 'genomes in a generation (16)', 2, 1000),
  number('generations', 'integer', 'N', 'generations (50); a larger number extends a run', 1, 10_000),
  text('suite', 'DIR', 'the suite that genomes are tried on (benchmarks/mini-mle)'),
  text('genomes', 'DIR', 'the founders, one folder each (genomes)'),
  text('model', 'NAME', 'the model of agent, mutator and critic (offline)'),
  number('seed', 'integer', 'N', 'the same seed gives the same run (1)', 0, 2 ** 31 - 1),
  number('workers', 'integer', 'N', 'threads for trials (cores)', 1, 256),
  number('concurrency', 'integer', 'N', 'trials in flight (4 a worker)', 1, 4096),
  text('out', 'DIR', "the run's folder (a new runs/<date>-<n>); one that exists is resumed"),
  number('budget-usd', 'number', 'X', 'stop when the model has cost so much', 0, 1e9),
  number('budget-trials', 'integer', 'N', 'stop when so many trials have run', 1, 1e9),
  number('max-time', 'duration', 'TIME', 'stop after this time: 90s, 30m, 2h', 1000, 30 * 86_400_000),
  {
    name: 'job-cache',
    kind: 'switch',
    value: '',
    about: 'keep results of jobs in runs/.cache',
    group: 'run',
  },
  number('tournament', 'integer', 'N', 'how many meet in a tournament (3)', 1, 1000, 'search'),
  number('elites', 'integer', 'N', 'how many of the best live on (3 of 8, at most 6)', 1, 999, 'search'),
  number(
    'first-tasks',
    'integer',
    'N',
    'search tasks that a new candidate meets first (3)',
    1,
    1000,
    'search',
  ),
  number('finalists', 'integer', 'N', 'candidates measured again at the end (6)', 1, 1000, 'search'),
  number(
    'final-repeats',
    'integer',
    'N',
    'repeats of all search tasks for finalists (12)',
    3,
    1000,
    'search',
  ),
  number('sealed-repeats', 'integer', 'N', 'repeats of every sealed task (5)', 1, 100, 'search'),
];

/** Settings as given, by name: from flags (text, or a boolean for a switch) or from a file (any JSON). */
export type Given = Record<string, unknown>;

/**
 * The configuration of a run. `flags` win over the file named by `flags.config`, which wins over `stored` (a
 * run that is resumed), which wins over the defaults. Throws `UserError` at the first setting that is not valid.
 */
export async function readConfig(flags: Given, stored?: RunConfig): Promise<RunConfig> {
  const { config: file, ...rest } = flags;
  const fromFile = file === undefined ? {} : check(await readFile(String(file)), `${file}: `, false);
  const given = { ...fromFile, ...check(rest, '--', true) };
  return settle({ ...(stored ? flatten(stored) : {}), ...given });
}

/** `90s`, `30m`, `2h`, `1.5h`, `2d` in milliseconds; null when it is none. */
export function parseDuration(value: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value.trim());
  if (!match) return null;
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 'ms'];
  return Math.round(Number(match[1]) * unit);
}

/** The folder of this package: its suite and founders are the defaults. */
export const PACKAGE_DIR = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Where results of jobs are kept for all that is started in this folder; outside every sandbox. */
export const JOB_CACHE = 'runs/.cache/jobs';

type Values = Record<string, number | string | boolean>;

/** Fills in the defaults, some of which depend on other settings. */
function settle(values: Values): RunConfig {
  const get = <T>(name: string, fallback: T) => (values[name] as T | undefined) ?? fallback;
  const population = get('population', 16);
  const workers = get('workers', availableParallelism());
  const search: SearchSettings = {
    tournament: get('tournament', Math.min(3, population)),
    elites: get('elites', Math.min(6, Math.max(1, Math.floor((3 * population) / 8)))),
    firstTasks: get('first-tasks', 3),
    finalRepeats: get('final-repeats', 12),
    finalists: get('finalists', 6),
    sealedRepeats: get('sealed-repeats', 5),
  };
  const model = get('model', 'offline');
  if (model !== 'offline') {
    throw new UserError(
      `--model ${model}: this version runs the offline stand-in model only`,
      'leave --model out; real endpoints come next',
    );
  }
  if (search.elites >= population) {
    throw new UserError(
      `--elites ${search.elites} leaves no room for children in a population of ${population}`,
      `use at most ${population - 1}`,
    );
  }
  return {
    population,
    generations: get('generations', 50),
    suite: get('suite', ownFolder('benchmarks/mini-mle')),
    genomes: get('genomes', ownFolder('genomes')),
    model,
    seed: get('seed', 1),
    workers,
    concurrency: get('concurrency', 4 * workers),
    out: get<string | null>('out', null),
    budgetUsd: get<number | null>('budget-usd', null),
    budgetTrials: get<number | null>('budget-trials', null),
    maxTimeMs: get<number | null>('max-time', null),
    jobCache: get('job-cache', true),
    search,
  };
}

/** The inverse of `settle`; a budget or time limit of an earlier call does not bind a later one. */
function flatten(config: RunConfig): Values {
  const { search, out, budgetUsd: _usd, budgetTrials: _trials, maxTimeMs: _time, jobCache, ...rest } = config;
  return {
    ...rest,
    ...(out === null ? {} : { out }),
    'job-cache': jobCache,
    tournament: search.tournament,
    elites: search.elites,
    'first-tasks': search.firstTasks,
    'final-repeats': search.finalRepeats,
    finalists: search.finalists,
    'sealed-repeats': search.sealedRepeats,
  };
}

/** Checks given settings against the table; `asText` when they are flags, whose values are text. */
function check(given: Given, where: string, asText: boolean): Values {
  const values: Values = {};
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const setting = SETTINGS.find((candidate) => candidate.name === name);
    if (!setting) {
      const names = SETTINGS.map((candidate) => candidate.name);
      throw new UserError(
        `${where}unknown setting '${key}'${didYouMean(name, names)}`,
        `settings: ${names.join(', ')}`,
      );
    }
    values[name] = checkOne(setting, value, `${where}${asText ? name : key}`, asText);
  }
  return values;
}

function checkOne(
  setting: Setting,
  value: unknown,
  where: string,
  asText: boolean,
): number | string | boolean {
  const refuse = (wanted: string): never => {
    throw new UserError(
      `${where} must be ${wanted}, not '${plain(value)}'`,
      `for example: ${example(setting)}`,
    );
  };
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = setting;
  if (setting.kind === 'switch') return typeof value === 'boolean' ? value : refuse('true or false');
  if (setting.kind === 'text') {
    return typeof value === 'string' && value.trim() !== '' ? value : refuse('a text that is not empty');
  }
  if (setting.kind === 'duration') {
    const ms = typeof value === 'string' ? parseDuration(value) : null;
    if (ms === null) return refuse('a time with its unit, such as 90s, 30m or 2h');
    return ms >= min && ms <= max ? ms : refuse('between 1s and 30d');
  }
  const pattern = setting.kind === 'integer' ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)$/;
  const parsed = asText ? (pattern.test(String(value)) ? Number(value) : Number.NaN) : value;
  const wanted = `${setting.kind === 'integer' ? 'a whole number' : 'a number'} from ${min} to ${max}`;
  if (typeof parsed !== 'number' || !Number.isFinite(parsed)) return refuse(wanted);
  if (setting.kind === 'integer' && !Number.isInteger(parsed)) return refuse(wanted);
  return parsed >= min && parsed <= max ? parsed : refuse(wanted);
}

async function readFile(file: string): Promise<Given> {
  const { parse } = await import('yaml');
  let data: unknown;
  try {
    const source = readFileSync(file, 'utf8');
    data = file.endsWith('.json') ? JSON.parse(source) : parse(source);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = missing ? 'no such file' : messageOf(error).split('\n')[0];
    throw new UserError(`--config ${file}: ${reason}`, 'give a JSON or YAML file with settings by name');
  }
  if (data === null || data === undefined) return {};
  if (typeof data !== 'object' || Array.isArray(data)) {
    throw new UserError(
      `--config ${file}: not a table of settings`,
      'write one setting a line: `population: 16`',
    );
  }
  const { search, ...rest } = data as Given;
  return typeof search === 'object' && search !== null ? { ...rest, ...search } : (data as Given);
}

function example(setting: Setting): string {
  const examples = { population: 16, generations: 50, seed: 1, workers: 2, 'max-time': '30m' } as Given;
  const value = examples[setting.name] ?? (setting.kind === 'text' ? 'NAME' : setting.min);
  return setting.kind === 'switch' ? `--no-${setting.name}` : `--${setting.name} ${value}`;
}

function plain(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 60);
}

function ownFolder(name: string): string {
  const here = path.resolve(name);
  return existsSync(here) ? name : path.join(PACKAGE_DIR, name);
}

function number(
  name: string,
  kind: 'integer' | 'number' | 'duration',
  value: string,
  about: string,
  min: number,
  max: number,
  group: Setting['group'] = 'run',
): Setting {
  return { name, kind, value, about, min, max, group };
}

function text(name: string, value: string, about: string): Setting {
  return { name, kind: 'text', value, about, group: 'run' };
}
