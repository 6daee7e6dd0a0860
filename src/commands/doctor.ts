import { access, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { limitLevel } from '../jobs/process/limits.ts';
import { choosePython, findPython } from '../jobs/sandbox/python.ts';
import { detectSandbox } from '../jobs/sandbox/sandbox.ts';
import { findInventory, type Gpu } from '../jobs/slots/devices.ts';
import { leaseHolder } from '../jobs/slots/leases.ts';
import { isWhole } from '../jobs/slots/request.ts';
import { readBaseURL } from '../llm/address.ts';
import { preflight } from '../llm/preflight.ts';
import { counted, table } from '../report/format.ts';
import type { Given } from '../settings.ts';
import { type Context, EXIT } from './context.ts';
import { lookAtSlurm } from './doctor-slurm.ts';
import { SET_UP_PYTHON } from './runtime.ts';

/** One line of what is here. `no` needs mending before anything runs, `warn` limits what can be done. */
export type Finding = { name: string; ok: 'yes' | 'no' | 'warn'; detail: string };

/** `evolve doctor`: what is here. Exit code 4 where something must be mended before anything runs. */
export async function doctor(flags: Given, context: Context): Promise<number> {
  const findings = await examine();
  const marks = { yes: 'ok', warn: 'warn', no: 'MISSING' };
  const rows = findings.map(({ name, ok, detail }) => [marks[ok], name, detail]);
  context.print(flags.json ? JSON.stringify(findings, null, 2) : table(rows, [0, 1, 2]));
  return findings.some(({ ok }) => ok === 'no') ? EXIT.inconclusive : EXIT.finished;
}

/** Looks at this machine, by trying rather than by reading version numbers. `runs` is where runs will be written. */
export async function examine(runs = 'runs'): Promise<Finding[]> {
  const [sandbox, limits, { gpus }, { gpus: all }, slurm, free, endpoint, python, torch] = await Promise.all([
    detectSandbox(),
    limitLevel(),
    findInventory(),
    findInventory({}),
    lookAtSlurm(),
    freeBytes(runs),
    lookAtEndpoint(),
    findPython(),
    choosePython(['torch'], [SET_UP_PYTHON]),
  ]);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const recent = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
  const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GB`;
  return [
    finding(
      'node',
      recent ? 'yes' : 'no',
      `${process.version}${recent ? '' : ', 20.19, 22.12 or newer is needed'}`,
    ),
    finding('cores', 'yes', `${availableParallelism()}`),
    finding(
      'memory',
      totalmem() >= 2 ** 30 ? 'yes' : 'warn',
      `${gigabytes(totalmem())}, ${gigabytes(freemem())} free`,
    ),
    ...gpuFindings(gpus, all.length - gpus.length),
    ...slurm,
    finding('python', 'yes', python.python === null ? `none: ${python.why}` : python.why),
    finding(
      'torch',
      'yes',
      torch.versions.torch === undefined
        ? 'none; `npm run setup:autoresearch` installs it'
        : `${torch.versions.torch}, of ${process.env.EVOLVE_PYTHON}`,
    ),
    finding('sandbox', sandbox.level === 'bubblewrap' ? 'yes' : 'warn', sandbox.why),
    finding(
      'memory limit',
      limits.memory !== 'a watch' || sandbox.memoryLimit ? 'yes' : 'warn',
      `${limits.memory} over all processes of a job${sandbox.memoryLimit ? ', RLIMIT_DATA over each' : ''}`,
    ),
    finding('process limit', 'yes', `${limits.processes} over all processes of a job`),
    finding('disk limit', 'yes', `${limits.disk} over the folder of a job`),
    endpoint,
    finding('api key', 'yes', `OPENAI_API_KEY is ${process.env.OPENAI_API_KEY ? '' : 'not '}set`),
    finding(
      'disk',
      free === null ? 'no' : free >= 2 ** 30 ? 'yes' : 'warn',
      free === null ? `${runs} cannot be reached` : `${gigabytes(free)} free for ${runs}`,
    ),
  ];
}

function finding(name: string, ok: Finding['ok'], detail: string): Finding {
  return { name, ok, detail };
}

/** How many there are for jobs, and each of them: what it is, and the process that has it now; `hidden` more are not for jobs. */
function gpuFindings(gpus: readonly Gpu[], hidden: number): Finding[] {
  const whole = gpus.filter(isWhole).length;
  const counts = gpus.length === 0 ? ['none'] : [`${whole} whole`, `${gpus.length - whole} MIG`];
  if (hidden > 0) counts.push(`${hidden} hidden by CUDA_VISIBLE_DEVICES`);
  return [
    finding('gpus', 'yes', counts.join(', ')),
    ...gpus.map((gpu) => {
      const part = isWhole(gpu) ? '' : `, ${Math.round(100 * gpu.share)}% of a GPU`;
      const holder = leaseHolder(gpu.uuid);
      const held = holder === null ? 'no run has it' : `process ${holder} has it`;
      return finding('gpu', 'yes', `${gpu.name}${part} (${gpu.uuid}): ${held}`);
    }),
  ];
}

/** Asks the endpoint of the environment for its models, if there is one; a run with a real model starts likewise. */
async function lookAtEndpoint(): Promise<Finding> {
  const address = process.env.OPENAI_BASE_URL;
  if (!address) return finding('endpoint', 'yes', 'OPENAI_BASE_URL is not set');
  try {
    const baseURL = readBaseURL(address, 'OPENAI_BASE_URL');
    const asked = { baseURL, keyVariable: 'OPENAI_API_KEY', urlVariable: 'OPENAI_BASE_URL', models: [] };
    const { models } = await preflight({ ...asked, apiKey: process.env.OPENAI_API_KEY || 'none' });
    const known = models === null ? 'it lists no models' : counted(models.length, 'model');
    return finding('endpoint', 'yes', `${baseURL} answers; ${known}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return finding('endpoint', 'warn', error.message);
  }
}

/** Free bytes where `folder` is or would be made; null when there is no such place. */
async function freeBytes(folder: string): Promise<number | null> {
  let place = resolve(folder);
  while (
    await access(place).then(
      () => false,
      () => true,
    )
  ) {
    if (place === dirname(place)) return null;
    place = dirname(place);
  }
  return statfs(place).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
}
