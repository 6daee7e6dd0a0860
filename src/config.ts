import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, UserError } from './errors.ts';
import { type SlurmSettings, slurmDefaults } from './jobs/slurm/settings.ts';
import { checkSlurm } from './jobs/slurm/settings-file.ts';
import type { Profile } from './llm/profile.ts';
import { checkProfiles } from './llm/profile-file.ts';
import {
  type CONTROLS,
  checkSettings,
  type Given,
  type PARTS,
  type STRATEGIES,
  type Values,
} from './settings.ts';
import { refuseWithoutEffect } from './without-effect.ts';

/** All that a run is told: flags over file over environment over defaults. */
export type RunConfig = {
  population: number;
  generations: number;
  suite: string;
  genomes: string;
  /** The agent's model. */
  model: string;
  seed: number;
  /** Threads. */
  workers: number;
  /** Trials in flight. */
  concurrency: number;
  /** The run's folder; null for a new `runs/<date>-<n>`. */
  out: string | null;
  budgetUsd: number | null;
  budgetTokens: number | null;
  budgetTrials: number | null;
  maxTimeMs: number | null;
  jobCache: boolean;
  /** How many jobs that ask for a whole GPU may be on one of this machine at once. */
  jobsPerGpu: number;
  /** Where jobs run; the same results either way. */
  jobs: 'local' | 'slurm';
  /** How a cluster is used, where jobs run on one. */
  slurm: SlurmSettings;
  mutator: ModelChoice;
  critic: ModelChoice;
  calls: CallSettings;
  /** What the user says of models, over the built-in table; by name. */
  profiles: Record<string, Partial<Profile>>;
  allowUnpriced: boolean;
  unsafeNoSandbox: boolean;
  /** Cassettes. */
  record: string | null;
  replay: string | null;
  search: SearchSettings;
  /** What the search is compared with at equal budget, once it has ended. */
  control: Control[];
  /** Into how many folds the tasks of a suite without roles are split; null for a suite with roles. */
  folds: number | null;
};

export type Strategy = (typeof STRATEGIES)[number];
export type Part = (typeof PARTS)[number];
export type Control = (typeof CONTROLS)[number];

/** A model beside the agent's; null where it is as the agent's: its address, the variable of its key. */
export type ModelChoice = { model: string; baseUrl: string | null; keyVariable: string | null };

/** How an endpoint is called; times in milliseconds. */
export type CallSettings = {
  /** Calls in flight at most; fewer when the endpoint asks for it. */
  most: number;
  attempts: number;
  backoffMs: number;
  totalMs: number;
  idleMs: number;
  maxPauseMs: number;
  stream: boolean;
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
  /** At least 5. */
  sealedRepeats: number;
  /** Claims tested on validation tasks, the first of them champion against baseline. */
  claims: number;
  /** The share of a run's trials that claims may take together, in [0, 0.9]. */
  claimShare: number;
  /** What the search may take, finals included and claims and sealed tasks not; left out where generations decide. */
  searchTrials?: number;
  /** Left out for a population. */
  strategy?: Exclude<Strategy, 'population'>;
  /** Parts of the search that are left out; left out itself where none is. */
  without?: Part[];
};

/**
 * The configuration of a run. `flags` win over the file named by `flags.config`, which wins over `stored` (a
 * run that is resumed), which wins over the defaults. Throws `UserError` at the first setting that is not valid.
 */
export async function readConfig(flags: Given, stored?: RunConfig): Promise<RunConfig> {
  const { config: file, ...rest } = flags;
  const { models, slurm, ...settings } = file === undefined ? ({} as Given) : await readFile(String(file));
  const fromFile = checkSettings(settings, `${file}: `, false);
  const profiles = models === undefined ? {} : checkProfiles(models, `${file}: `);
  const cluster = slurm === undefined ? {} : checkSlurm(slurm, `${file}: `);
  const fromFlags = checkSettings(rest, '--', true);
  const given = { ...fromFile, ...fromFlags };
  const config = settle({ ...(stored ? flatten(stored) : {}), ...given });
  refuseWithoutEffect(fromFlags, given, config.search);
  return {
    ...config,
    slurm: { ...slurmDefaults, ...stored?.slurm, ...cluster },
    profiles: { ...stored?.profiles, ...profiles },
  };
}

/** The folder of this package: its suite and founders are the defaults. */
export const PACKAGE_DIR = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Where results of jobs are kept for all that is started in this folder; outside every sandbox. */
export const JOB_CACHE = 'runs/.cache/jobs';

/** The stand-in for a model, which needs no endpoint. */
export const OFFLINE = 'offline';

/** Fills in the defaults, some of which depend on other settings. */
function settle(values: Values): RunConfig {
  const get = <T>(name: string, fallback: T) => (values[name] as T | undefined) ?? fallback;
  const population = get('population', 16);
  const workers = get('workers', availableParallelism());
  const model = get('model', OFFLINE);
  const strategy = get<Strategy>('strategy', 'population');
  const search: SearchSettings = {
    tournament: get('tournament', Math.min(3, population)),
    elites: get('elites', Math.min(6, Math.max(1, Math.floor((3 * population) / 8)))),
    firstTasks: get('first-tasks', 3),
    finalRepeats: get('final-repeats', 12),
    finalists: get('finalists', 6),
    sealedRepeats: get('sealed-repeats', 5),
    claims: get('claims', 5),
    claimShare: get('claim-share', 0.25),
    ...(values['search-trials'] === undefined ? {} : { searchTrials: get('search-trials', 0) }),
    ...(strategy === 'population' ? {} : { strategy }),
    ...(values.without === undefined ? {} : { without: get<Part[]>('without', []) }),
  };
  if (search.elites >= population) {
    throw new UserError(
      `--elites ${search.elites} leaves no room for children in a population of ${population}`,
      `use at most ${population - 1}`,
    );
  }
  const [record, replay] = [get<string | null>('record', null), get<string | null>('replay', null)];
  if (record !== null && replay !== null) {
    throw new UserError(
      '--record and --replay exclude each other',
      'record first, then replay what was recorded',
    );
  }
  const choice = (role: 'mutator' | 'critic'): ModelChoice => ({
    model: get(`${role}-model`, model),
    baseUrl: get<string | null>(`${role}-base-url`, null),
    keyVariable: get<string | null>(`${role}-key-variable`, null),
  });
  return {
    population,
    generations: get('generations', 50),
    suite: get('suite', ownFolder('benchmarks/mini-mle')),
    genomes: get('genomes', ownFolder('genomes')),
    model,
    seed: get('seed', 1),
    workers,
    concurrency: get('concurrency', model === OFFLINE ? 4 * workers : Math.max(64, 4 * workers)),
    out: get<string | null>('out', null),
    budgetUsd: get<number | null>('budget-usd', null),
    budgetTokens: get<number | null>('budget-tokens', null),
    budgetTrials: get<number | null>('budget-trials', null),
    maxTimeMs: get<number | null>('max-time', null),
    jobCache: get('job-cache', true),
    jobsPerGpu: get('jobs-per-gpu', 1),
    jobs: get<RunConfig['jobs']>('jobs', 'local'),
    slurm: slurmDefaults,
    mutator: choice('mutator'),
    critic: choice('critic'),
    calls: {
      most: get('calls', 64),
      attempts: get('attempts', 8),
      backoffMs: get('backoff', 1000),
      totalMs: get('call-timeout', 600_000),
      idleMs: get('idle-timeout', 120_000),
      maxPauseMs: get('max-pause', 3_600_000),
      stream: get('stream', true),
    },
    profiles: {},
    allowUnpriced: get('allow-unpriced', false),
    unsafeNoSandbox: get('unsafe-no-sandbox', false),
    record,
    replay,
    search,
    control: get<Control[]>('control', []),
    folds: get<number | null>('folds', null),
  };
}

/**
 * The inverse of `settle`; budgets, time limits, cassettes and what is unsafe hold for the call that they were given
 * to, and not for a later one.
 */
function flatten(config: RunConfig): Values {
  const { population, generations, suite, genomes, model, seed, workers, concurrency, out, jobCache, jobs } =
    config;
  const { mutator, critic, calls, search, allowUnpriced } = config;
  const values: Record<string, Values[string] | null> = {
    ...{ population, generations, suite, genomes, model, seed, workers, concurrency, out, jobs },
    'job-cache': jobCache,
    'jobs-per-gpu': config.jobsPerGpu,
    'mutator-model': mutator.model,
    'mutator-base-url': mutator.baseUrl,
    'mutator-key-variable': mutator.keyVariable,
    'critic-model': critic.model,
    'critic-base-url': critic.baseUrl,
    'critic-key-variable': critic.keyVariable,
    'allow-unpriced': allowUnpriced,
    calls: calls.most,
    attempts: calls.attempts,
    backoff: calls.backoffMs,
    'call-timeout': calls.totalMs,
    'idle-timeout': calls.idleMs,
    'max-pause': calls.maxPauseMs,
    stream: calls.stream,
    tournament: search.tournament,
    elites: search.elites,
    'first-tasks': search.firstTasks,
    'final-repeats': search.finalRepeats,
    finalists: search.finalists,
    'sealed-repeats': search.sealedRepeats,
    claims: search.claims,
    'claim-share': search.claimShare,
    'search-trials': search.searchTrials ?? null,
    strategy: search.strategy ?? null,
    without: search.without ?? null,
    control: config.control?.length ? config.control : null,
    folds: config.folds ?? null,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as Values;
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

function ownFolder(name: string): string {
  const here = path.resolve(name);
  return existsSync(here) ? name : path.join(PACKAGE_DIR, name);
}
