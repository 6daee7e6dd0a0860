import { constants } from 'node:os';
import { pathToFileURL } from 'node:url';
import type { Unfinished } from '../job.ts';
import type { Ended } from './process.ts';

/** Real paths and what stands for each in a log. */
export type Aliases = readonly (readonly [real: string, shown: string])[];

/** What an ended process means; a `JobOutcome` before its outputs are looked at. */
export type Verdict = { log: string } & ({ kind: 'done' } | Unfinished);

/** A log that says the same wherever the job ran: real paths replaced, process ids out of Node's warnings. */
export function cleanLog(output: string, aliases: Aliases): string {
  let log = output;
  for (const [real, shown] of [...aliases].sort((a, b) => b[0].length - a[0].length)) {
    const url = pathToFileURL(real).pathname;
    if (url !== real) log = log.replaceAll(url, shown);
    log = log.replaceAll(real, shown);
  }
  return log.replace(/\(node:\d+\)/g, '(node)');
}

/**
 * What decides how an ended process is read: its limits, the step at which its curve had it stopped, and whether it was seen
 * to have had more CPU time than it may (`Hold`).
 */
export type Terms = {
  command: string;
  wall: boolean;
  diskMb: number;
  prunedAt: number | null;
  overran: boolean;
};

/**
 * Reads an ended process, whose output is cleaned. Exit codes above 128 are signals, as the sandbox and shells report them. An abort by the
 * allocator is `out-of-memory`, and so is every crash of Node itself, which JavaScript cannot bring about otherwise:
 * short of memory it dies now with a report, now without. A process that was ended from outside is `lost`, and so is one
 * that met the safety deadline; but one that waited then by itself would do so on any machine.
 */
export function judge(ended: Ended, { command, wall, diskMb, prunedAt, overran }: Terms): Verdict {
  const log = ended.output;
  const stopped = (why: string) => `${log}\n[stopped: ${why}]\n`;
  const failed = (why: string): Verdict => ({ kind: 'failed', exitCode: 1, log: stopped(why) });
  if (ended.cause === 'not-started')
    return { kind: 'lost', reason: `could not be started: ${ended.error}`, log };
  if (ended.cause === 'cancelled') return { kind: 'cancelled', log };
  if (ended.cause === 'pruned') return { kind: 'pruned', step: prunedAt ?? 0, log };
  if (ended.cause === 'waiting' || (ended.cause === 'deadline' && wall))
    return { kind: 'timeout', log: stopped('out of time') };
  if (ended.cause === 'deadline')
    return { kind: 'lost', reason: 'the safety deadline passed', hopeless: true, log };
  if (ended.cause === 'memory') return { kind: 'out-of-memory', log: stopped('out of memory') };
  if (ended.cause === 'flood') return failed('too much output');
  if (ended.cause === 'processes') return failed('too many processes');
  if (ended.cause === 'files') return failed('too many files');
  if (ended.cause === 'disk') return failed(`more than ${diskMb} MB on the disk`);
  const exitCode = ended.signal === null ? ended.code : 128 + constants.signals[ended.signal];
  if (exitCode === tookTooLong || (exitCode === killed && overran))
    return { kind: 'timeout', log: stopped('too much CPU time') };
  if (ended.signal === 'SIGKILL') return { kind: 'lost', reason: 'killed from outside', log };
  if (exitCode === 0) return { kind: 'done', log };
  const refused = notRunnable.exec(log);
  if (refused) {
    const [, name, why] = refused as unknown as [string, string, string];
    const missing = /not found|no such file/i.test(why);
    return {
      kind: 'failed',
      exitCode: missing ? 127 : 126,
      log: `${name}: ${missing ? 'command not found' : why}\n`,
    };
  }
  const crashed = crashes.includes(exitCode);
  if (crashed && (command === 'node' || memoryWords.test(log))) {
    return { kind: 'out-of-memory', log: `${withoutCrashReport(log)}\nFATAL ERROR: out of memory\n` };
  }
  return !crashed && memoryErrors.test(log)
    ? { kind: 'out-of-memory', log }
    : { kind: 'failed', exitCode, log };
}

/** The end of a text, at most `bytes` of UTF-8, cut at a character's beginning. */
export function lastBytes(text: string, bytes: number): string {
  const all = Buffer.from(text);
  if (all.length <= bytes) return text;
  let start = all.length - bytes;
  while (start < all.length && ((all[start] as number) & 0xc0) === 0x80) start++;
  return all.toString('utf8', start);
}

/** V8's report of its own end is full of addresses, times and process ids. */
function withoutCrashReport(log: string): string {
  const start = log.search(
    /\n*<--- Last few GCs --->|\n*#\n# Fatal |\n*FATAL ERROR: |\n*terminate called after throwing /,
  );
  return start < 0 ? log : log.slice(0, start);
}

/** The sandbox or the shell in front of the job could not run its command: all that there is in the log. */
const notRunnable = /^(?:bwrap: execvp|[^\n]*\bsh: [^\n]*exec:) ([^\n]*): ([^\n:]*)\n?$/;
/** 128 + SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGSEGV. */
const crashes = [132, 133, 134, 135, 139];
/** 128 + SIGXCPU, on Linux; and 128 + SIGKILL, which follows where that was ignored. */
const tookTooLong = 152;
const killed = 137;
const memoryWords = /out of memory|Allocation failed|bad_alloc/;
/** What Node and Python say when there was no memory for one large array. */
const memoryErrors = /RangeError: Array buffer allocation failed|^MemoryError/m;
