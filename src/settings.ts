import { UserError } from './errors.ts';
import { didYouMean } from './suggest.ts';

/** One setting of a run: a flag `--name`, and the key `name` of a config file. */
export type Setting = {
  name: string;
  kind: 'integer' | 'number' | 'dollars' | 'duration' | 'text' | 'list' | 'switch';
  /** What stands for the value in the help. */
  value: string;
  about: string;
  /** Inclusive; for durations in milliseconds. */
  min?: number;
  max?: number;
  /** Of a text: what it can be; of a list: what can stand in it, each once, separated by commas. */
  options?: readonly string[];
  /** Of a switch: what it is without a flag. One that is on has the flag `--no-<name>`. */
  on?: boolean;
  group: 'run' | 'model' | 'search';
};

/** How candidates are bred and kept: a population; a chain that keeps or reverts; steps without selection. */
export const STRATEGIES = ['population', 'chain', 'random'] as const;
/** What can be left out of a search, to see what it is worth. */
export const PARTS = ['memory', 'crossover', 'llm-edits', 'typed-steps', 'tournament', 'racing'] as const;
/** Of these parts, what a strategy has: a chain and random search only mutate, and have no race and no tournament. */
export const PARTS_OF: Record<(typeof STRATEGIES)[number], readonly (typeof PARTS)[number][]> = {
  population: PARTS,
  chain: ['memory', 'llm-edits', 'typed-steps'],
  random: ['memory', 'llm-edits', 'typed-steps'],
};
/** What a search can be compared with at equal budget; `resample`: the baseline drawn again, best of many. */
export const CONTROLS = ['resample', 'random', 'chain'] as const;

const SECOND = 1000;
const DAY = 86_400_000;

/** Every setting, in the order of the help. Flags, config files and bounds all come from this table. */
export const SETTINGS: readonly Setting[] = [
  number('population', 'integer', 'N', 'genomes in a generation (16)', 2, 1000),
  number(
    'generations',
    'integer',
    'N',
    'generations (50); a larger number extends a run, a smaller one ends it',
    1,
    10_000,
  ),
  text('suite', 'DIR', 'the suite that genomes are tried on (benchmarks/mini-mle)'),
  text('genomes', 'DIR', 'the founders, one folder each (genomes)'),
  text('model', 'NAME', "the agent's model (offline, a stand-in); OPENAI_BASE_URL says where"),
  number('seed', 'integer', 'N', 'the same seed gives the same run (1)', 0, 2 ** 31 - 1),
  number('workers', 'integer', 'N', 'threads for trials (cores)', 1, 256),
  number('concurrency', 'integer', 'N', 'trials in flight (4 a worker; 64 with a real model)', 1, 4096),
  text('out', 'DIR', "the run's folder (a new runs/<date>-<n>); one that exists is resumed"),
  number('budget-usd', 'dollars', 'X', 'never spend more dollars on models than this', 0, 1e9),
  number('budget-tokens', 'integer', 'N', 'never use more tokens than this, in and out', 1, 1e15),
  number('budget-trials', 'integer', 'N', 'stop when so many trials have run', 1, 1e9),
  number('max-time', 'duration', 'TIME', 'stop after this time: 90s, 30m, 2h', SECOND, 30 * DAY),
  {
    ...text('jobs', 'WHERE', 'where jobs run: local, or slurm (local)'),
    options: ['local', 'slurm'],
  },
  number('jobs-per-gpu', 'integer', 'N', 'how many jobs share a GPU of this machine (1)', 1, 64),
  toggle('job-cache', true, 'keep results of jobs in runs/.cache', 'run'),

  text('mutator-model', 'NAME', "the model that proposes edits (the agent's)", 'model'),
  text('critic-model', 'NAME', "the model that writes lessons (the agent's)", 'model'),
  text('mutator-base-url', 'URL', "the mutator's base URL (OPENAI_BASE_URL)", 'model'),
  text('mutator-key-variable', 'NAME', 'the variable that holds its key (OPENAI_API_KEY)', 'model'),
  text('critic-base-url', 'URL', "the critic's base URL (OPENAI_BASE_URL)", 'model'),
  text('critic-key-variable', 'NAME', 'the variable that holds its key (OPENAI_API_KEY)', 'model'),
  toggle('allow-unpriced', false, 'run a model whose price is not known, at 0 dollars', 'model'),
  toggle('unsafe-no-sandbox', false, "run a real model's code although there is no sandbox", 'model'),
  number('calls', 'integer', 'N', 'model calls at once, at each endpoint, at most (64)', 1, 4096, 'model'),
  number('attempts', 'integer', 'N', 'how often a call is tried (8)', 1, 100, 'model'),
  number(
    'backoff',
    'duration',
    'TIME',
    'longest wait before the second try, doubled after each; pauses follow (1s)',
    1,
    DAY,
    'model',
  ),
  number('call-timeout', 'duration', 'TIME', 'give up a call that takes longer (10m)', 10, DAY, 'model'),
  number('idle-timeout', 'duration', 'TIME', 'give up a call that is silent so long (2m)', 10, DAY, 'model'),
  number(
    'max-pause',
    'duration',
    'TIME',
    'give up an endpoint that is down so long (1h)',
    1,
    30 * DAY,
    'model',
  ),
  toggle('stream', true, 'have replies streamed', 'model'),
  text('record', 'FILE', 'keep every reply of the models in a cassette', 'model'),
  text('replay', 'FILE', 'answer from a cassette; nothing is asked of a model', 'model'),

  number('tournament', 'integer', 'N', 'how many meet in a tournament (3)', 1, 1000, 'search'),
  number('elites', 'integer', 'N', 'how many of the best live on (3 of 8, at most 6)', 1, 999, 'search'),
  number('first-tasks', 'integer', 'N', 'search tasks that a candidate meets first (3)', 1, 1000, 'search'),
  number('finalists', 'integer', 'N', 'candidates measured again at the end (6)', 1, 1000, 'search'),
  number('final-repeats', 'integer', 'N', 'repeats of search tasks for finalists (12)', 3, 1000, 'search'),
  number('sealed-repeats', 'integer', 'N', 'repeats of every sealed task (5)', 5, 100, 'search'),
  number('claims', 'integer', 'N', 'claims that are tested on validation tasks (5)', 0, 100, 'search'),
  number('claim-share', 'number', 'X', 'share of the trials that claims may take (0.25)', 0, 0.9, 'search'),
  number(
    'search-trials',
    'integer',
    'N',
    'trials of the search, its finals included; it then ends by itself (as --generations say)',
    1,
    1e9,
    'search',
  ),
  {
    ...text('strategy', 'NAME', 'how it searches: population, chain or random (population)', 'search'),
    options: STRATEGIES,
  },
  list('without', 'PARTS', 'parts of the search to leave out', PARTS, 'search'),
  list('control', 'ARMS', 'also run these at equal budget, and compare', CONTROLS, 'run'),
  number('folds', 'integer', 'K', 'for a suite without roles: K searches, each blind to its own fold', 2, 20),
];

/** Settings as given, by name: from flags (text, or a boolean for a switch) or from a file (any JSON). */
export type Given = Record<string, unknown>;

/** Settings that were checked, by name. */
export type Values = Record<string, number | string | boolean | string[]>;

/**
 * Checks given settings against the table. `where` stands before names in errors; `asText` when they are flags, whose
 * values are text. Throws `UserError` at the first that is not valid.
 */
export function checkSettings(given: Given, where: string, asText: boolean): Values {
  const values: Values = {};
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const setting = SETTINGS.find((candidate) => candidate.name === name);
    if (!setting) {
      // A file may hold these two tables besides.
      const names = [...SETTINGS.map((candidate) => candidate.name), ...(asText ? [] : ['models', 'slurm'])];
      throw new UserError(
        `${where}unknown setting '${key}'${didYouMean(name, names)}`,
        `settings: ${names.join(', ')}`,
      );
    }
    values[name] = checkOne(setting, value, `${where}${asText ? name : key}`, asText);
  }
  return values;
}

/** `90s`, `30m`, `2h`, `1.5h`, `2d` in milliseconds; null when it is none. */
export function parseDuration(value: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value.trim());
  if (!match) return null;
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: DAY }[match[2] as 'ms'];
  return Math.round(Number(match[1]) * unit);
}

function checkOne(setting: Setting, value: unknown, where: string, asText: boolean): Values[string] {
  const refuse = (wanted: string): never => {
    throw new UserError(
      `${where} must be ${wanted}, not '${plain(value)}'`,
      `for example: ${example(setting)}`,
    );
  };
  const { kind, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = setting;
  if (kind === 'switch') return typeof value === 'boolean' ? value : refuse('true or false');
  if (kind === 'list') return checkList(setting, value, where, asText);
  if (setting.options) {
    const word = String(value);
    if (setting.options.includes(word)) return word;
    throw new UserError(
      `${where} cannot be '${plain(value)}'${didYouMean(word, setting.options)}`,
      `it is ${setting.options.join(' or ')}`,
    );
  }
  if (kind === 'text') {
    return typeof value === 'string' && value.trim() !== '' ? value : refuse('a text that is not empty');
  }
  if (kind === 'duration') {
    const ms = typeof value === 'string' ? parseDuration(value) : null;
    if (ms === null) return refuse('a time with its unit, such as 90s, 30m or 2h');
    return ms >= min && ms <= max
      ? ms
      : refuse(`between ${min < SECOND ? `${min}ms` : '1s'} and ${max / DAY}d`);
  }
  const pattern = kind === 'integer' ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)$/;
  const parsed = asText ? (pattern.test(String(value)) ? Number(value) : Number.NaN) : value;
  const noun = kind === 'integer' ? 'a whole number' : 'a number';
  const wanted =
    kind === 'dollars' ? 'dollars, a number above 0 without a sign' : `${noun} from ${min} to ${max}`;
  if (typeof parsed !== 'number' || !Number.isFinite(parsed)) return refuse(wanted);
  if (kind === 'integer' && !Number.isInteger(parsed)) return refuse(wanted);
  if (kind === 'dollars' && parsed <= 0) return refuse(wanted);
  return parsed >= min && parsed <= max ? parsed : refuse(wanted);
}

/** The options in the order of the table, whatever the order in which they were given. */
function checkList({ options = [] }: Setting, value: unknown, where: string, asText: boolean): string[] {
  const hint = `separate them by commas: ${options.join(',')}`;
  const words = asText ? String(value).split(',') : value;
  if (!Array.isArray(words)) throw new UserError(`${where} must be a list, not '${plain(value)}'`, hint);
  const given = words.map((word) => String(word).trim()).filter((word) => word !== '');
  for (const word of given) {
    if (!options.includes(word)) {
      throw new UserError(`${where} cannot have '${plain(word)}'${didYouMean(word, options)}`, hint);
    }
  }
  if (given.length === 0) throw new UserError(`${where} is empty`, hint);
  return options.filter((option) => given.includes(option));
}

function example(setting: Setting): string {
  const examples: Given = { population: 16, generations: 50, seed: 1, workers: 2, 'budget-usd': '2.50' };
  const byKind: Given = { text: 'NAME', duration: '30m' };
  const value = examples[setting.name] ?? byKind[setting.kind] ?? setting.min;
  return setting.kind === 'switch' ? flagOf(setting) : `--${setting.name} ${value}`;
}

/** The flag of a setting, with what stands for its value. */
export function flagOf({ name, kind, value, on }: Setting): string {
  if (kind !== 'switch') return `--${name} <${value}>`;
  return on ? `--no-${name}` : `--${name}`;
}

function plain(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))).slice(0, 60);
}

function number(
  name: string,
  kind: 'integer' | 'number' | 'dollars' | 'duration',
  value: string,
  about: string,
  min: number,
  max: number,
  group: Setting['group'] = 'run',
): Setting {
  return { name, kind, value, about, min, max, group };
}

function text(name: string, value: string, about: string, group: Setting['group'] = 'run'): Setting {
  return { name, kind: 'text', value, about, group };
}

function list(
  name: string,
  value: string,
  about: string,
  options: readonly string[],
  group: Setting['group'],
): Setting {
  return { name, kind: 'list', value, about: `${about}: ${options.join(',')}`, options, group };
}

function toggle(name: string, on: boolean, about: string, group: Setting['group']): Setting {
  return { name, kind: 'switch', value: '', about: on ? `do not ${about}` : about, on, group };
}
