import { UserError } from '../../errors.ts';
import { compileSchema } from '../../json-schema.ts';
import { parseDuration } from '../../settings.ts';
import type { SlurmSettings } from './settings.ts';

const name = { type: 'string', pattern: '^[^\\s\\0-]\\S*$', description: 'a name' };
const time = {
  type: 'string',
  pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$',
  description: 'a time with its unit, such as 5s or 2m',
};

const properties = {
  partition: name,
  account: name,
  qos: name,
  reservation: name,
  constraint: name,
  gres: name,
  'at-once': { type: 'integer', minimum: 1, maximum: 1_000_000 },
  poll: time,
  batch: time,
  margin: time,
  'max-pause': time,
  extra: {
    type: 'array',
    items: { type: 'string', pattern: '^--[a-z]\\S.*$', description: 'one option, such as --nice=100' },
  },
};
const check = compileSchema({ type: 'object', additionalProperties: false, properties });

/** Bounds of times, ms: a cluster is not asked more than a few times a second, nor left alone for ever. */
const times = {
  poll: ['pollMs', 200, 600_000],
  batch: ['batchMs', 100, 600_000],
  'max-pause': ['maxPauseMs', 1000, 30 * 86_400_000],
} as const;

/** Options that are ours alone: with others, jobs would see keys, run twice, or not be found again. */
const ours = [
  'array',
  'chdir',
  'clusters',
  'comment',
  'error',
  'export',
  'export-file',
  'get-user-env',
  'input',
  'job-name',
  'nodes',
  'ntasks',
  'open-mode',
  'output',
  'parsable',
  'requeue',
  'test-only',
  'wait',
  'wrap',
];

/**
 * Reads the `slurm` of a config file: how a cluster is used, over the defaults. Throws `UserError`; `where` stands before
 * it.
 */
export function checkSlurm(given: unknown, where: string): Partial<SlurmSettings> {
  const refuse = (path: string, message: string): never => {
    throw new UserError(
      `${where}slurm${path === '' ? '' : `.${path}`} ${message}`,
      'for example: `slurm: {partition: gpu, account: lab, at-once: 16}`',
    );
  };
  const isTable = given !== null && typeof given === 'object' && !Array.isArray(given);
  const table = isTable
    ? Object.fromEntries(Object.entries(given).map(([key, value]) => [dashed(key), value]))
    : given;
  const [problem] = check(table);
  if (problem) refuse(problem.path, problem.message);
  const { 'at-once': atOnce, margin, poll, batch, 'max-pause': maxPause, ...plain } = table as Told;
  const told: Partial<SlurmSettings> = { ...plain };
  for (const [i, option] of (told.extra ?? []).entries()) {
    const taken = takes(option);
    if (taken !== undefined) refuse(`extra.${i}`, `is ${option}, and --${taken} is set by evolve itself`);
  }
  if (atOnce !== undefined) told.atOnce = atOnce;
  if (margin !== undefined) told.marginSeconds = Math.ceil((parseDuration(margin) as number) / 1000);
  for (const [key, text] of Object.entries({ poll, batch, 'max-pause': maxPause })) {
    if (text === undefined) continue;
    const [member, least, most] = times[key as keyof typeof times];
    const ms = parseDuration(text) as number;
    if (ms < least || ms > most) refuse(key, `is ${text}, outside ${least}ms to ${most / 1000}s`);
    told[member] = ms;
  }
  return told;
}

type Told = Partial<
  Pick<SlurmSettings, 'partition' | 'account' | 'qos' | 'reservation' | 'constraint' | 'extra'>
> & {
  gres?: string;
  'at-once'?: number;
  margin?: string;
  poll?: string;
  batch?: string;
  'max-pause'?: string;
};

/** The option of ours that this one is, or is a beginning of: sbatch takes beginnings, too. */
function takes(option: string): string | undefined {
  const long = /^--([^=\s]*)/.exec(option)?.[1] ?? '';
  return ours.find((one) => one === long || (long.length > 2 && one.startsWith(long)));
}

function dashed(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
