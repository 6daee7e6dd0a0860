import { execFile } from 'node:child_process';
import type { SlurmOptions, SlurmProgram } from './settings.ts';

/** What became of a call. `away`: nobody knows whether it had an effect; a deadline, a lost connection, nonsense. */
export type Answer = { kind: 'ok'; text: string } | { kind: 'refused' | 'full' | 'away'; said: string };

/** The programs of Slurm. None of them rejects, prints, or sees a variable that is no business of its own. */
export type Slurm = (program: SlurmProgram, args: readonly string[]) => Promise<Answer>;

export function slurmPrograms(options: Pick<SlurmOptions, 'programs' | 'env' | 'deadlineMs'>): Slurm {
  const env = { ...cleanEnvironment(process.env), ...options.env };
  return (program, args) =>
    new Promise((resolve) => {
      const limits = {
        timeout: options.deadlineMs ?? 60_000,
        killSignal: 'SIGKILL',
        maxBuffer: 2 ** 28,
      } as const;
      execFile(options.programs?.[program] ?? program, args, { env, ...limits }, (error, stdout, stderr) => {
        if (error === null) return resolve({ kind: 'ok', text: stdout });
        if (error.code === 'ENOENT' || error.code === 'EACCES')
          return resolve({ kind: 'refused', said: `${program} cannot be run here (${error.code})` });
        const said = firstWords(stderr) || (error.killed ? 'no answer in time' : `exit code ${error.code}`);
        resolve({ kind: error.killed ? 'away' : sortOf(stderr), said: `${program}: ${said}` });
      });
    });
}

/** Is a refusal of sbatch known to stay? What nobody has heard before may be a fault that passes. */
export function isMeant(said: string): boolean {
  return MEANT.test(said);
}

/**
 * What the programs need: to be found, to find the cluster, to say who asks, and to speak English. None that would change what we
 * ask for (`SBATCH_…`, `SQUEUE_FORMAT`), and no key.
 */
function cleanEnvironment(all: NodeJS.ProcessEnv): Record<string, string> {
  const names = [
    'PATH',
    'LD_LIBRARY_PATH',
    'HOME',
    'USER',
    'LOGNAME',
    'SLURM_CONF',
    'KRB5CCNAME',
    'TZ',
    'EVOLVE_PYTHON',
  ];
  const kept = names.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]]));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/** Why a call failed, by what was said. What is not known to pass by itself is a refusal. */
function sortOf(said: string): 'refused' | 'full' | 'away' {
  if (said.trim() === '' || AWAY.test(said)) return 'away';
  return FULL.test(said) ? 'full' : 'refused';
}

const AWAY =
  /timed out|unable to contact|connection|communication|transport|zero bytes|send\/?recv|slurm_(receive|send|persist)|unexpected message|backup|standby|munge|I\/O error|no route|name or service|resolve|socket|try again later/i;
const MEANT =
  /invalid|not (available|permitted|allowed|valid)|more \w+ requested|denied|unrecognized|requires an argument|exceeds|cannot be run/i;
const FULL =
  /temporarily|unable to accept|submit\w*limit|job submit limit|max\w*submit|resource.*unavailable|not available now|not available \(|too many/i;

/** The first thing that is said, in one line, without the words that every message has. */
function firstWords(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/^\w+: (error: )?/, '').trim());
  return [...new Set(lines.filter((line) => line !== ''))].slice(0, 2).join('; ').slice(0, 300);
}
