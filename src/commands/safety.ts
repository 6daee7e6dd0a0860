import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { OFFLINE, type RunConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import type { Genome } from '../genome/genome.ts';
import type { SandboxLevel } from '../jobs/sandbox/sandbox.ts';
import { checkTape } from '../llm/cassette-file.ts';
import { redact } from '../secrets.ts';
import type { Parties } from './parties.ts';

/** Without a sandbox, code that a real model wrote does not run, unless the user insists. `level` is where jobs run. */
export function checkSandbox(
  parties: Parties,
  config: RunConfig,
  { level, why }: SandboxLevel,
  say: (line: string) => void,
): void {
  if (level !== 'none') return;
  if (needsSandbox(parties, config)) {
    throw new UserError(
      `${why}, and what a real model writes must not run without a sandbox`,
      'install bubblewrap (`evolve doctor` says more), or give --unsafe-no-sandbox where the machine is worth nothing',
    );
  }
  say(
    `warning: ${why}, so jobs run without a sandbox${isReal(parties) ? '' : '; fit for the offline model only'}`,
  );
}

/** Must jobs run in a sandbox? */
export function needsSandbox(parties: Parties, { unsafeNoSandbox }: RunConfig): boolean {
  return isReal(parties) && !unsafeNoSandbox;
}

/** A cassette that cannot be opened is said before anything is written. Throws a `UserError`. */
export function checkCassette({ record, replay, out }: Pick<RunConfig, 'record' | 'replay' | 'out'>): void {
  const file = replay ?? record;
  // The folder of a new run is made before its cassette.
  const later = replay === null && out !== null && !existsSync(out);
  if (file === null || (later && dirname(resolve(file)) === resolve(out))) return;
  checkTape(file, replay !== null);
}

/** A genome goes before models, into folders and reports: throws a `UserError` where it holds a secret. */
export function refuseSecrets(name: string, genome: Genome): void {
  const text = JSON.stringify(genome);
  const variable = /\[([A-Za-z_][A-Za-z0-9_]*)\]/.exec(firstDifference(text, redact(text)))?.[1];
  if (variable === undefined) return;
  throw new UserError(
    `${name} holds the value of the variable ${variable}`,
    `take it out; mcp.json refers to it as \${${variable}}`,
  );
}

function isReal({ agent }: Parties): boolean {
  return agent.model !== OFFLINE || agent.baseURL !== null;
}

/** What stands in `after` where it first differs from `before`; empty where it does not. */
function firstDifference(before: string, after: string): string {
  if (before === after) return '';
  let at = 0;
  while (before[at] === after[at]) at++;
  return after.slice(at);
}
