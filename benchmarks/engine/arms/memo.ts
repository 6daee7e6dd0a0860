import { closeSync, fstatSync, openSync, readSync, truncateSync, writeSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ownFigure } from '../../../src/agent/own-figure.ts';
import type { Trajectory } from '../../../src/agent/trajectory.ts';
import { UserError } from '../../../src/errors.ts';
import type { Evaluator, Outcome, TrialSpec } from '../../../src/evaluation/trial.ts';
import { takeLockFile } from '../../../src/lock-file.ts';

/** What is known of trials, over all runs that share the memo. */
export type Memo = Evaluator & {
  /** What the agent did; null where that was not kept (only search trials are kept whole). */
  readTrajectory(trial: string): Promise<Trajectory | null>;
  /** The figure that the agent itself knew of its submission; null where it knew none. */
  figure(trial: string): number | null;
  /** Trials asked for so far, and those of them that had to be run. */
  counts(): { asked: number; run: number };
};

type Line = { id: string; outcome: Outcome; figure: number | null; at?: number; bytes?: number };

/**
 * Runs no trial twice: a trial depends on what its id names and on nothing else, so arms, seeds of arms, ablations and
 * runs of other lengths share all that is the same. In `dir`: `outcomes.jsonl`, a line a trial, and `trajectories.bin`,
 * deflated one after the other; both only grow. A line is written after its trajectory, so a kill leaves at most a torn
 * line, which is cut off, and bytes that nothing names. A trial that is asked for while it runs is waited for; one that
 * was lost is not kept. One process at a time: throws a `UserError` while another has the folder.
 */
export function openMemo(inner: Evaluator, dir: string, trialsDir: string): Memo {
  const lock = takeLockFile(join(dir, 'lock'));
  if (!('release' in lock)) {
    throw new UserError(`${dir} is in use by process ${lock.pid}`, 'wait for it, or give another --out');
  }
  const index = openSync(join(dir, 'outcomes.jsonl'), 'a+');
  const pack = openSync(join(dir, 'trajectories.bin'), 'a+');
  const known = readIndex(index, join(dir, 'outcomes.jsonl'));
  const running = new Map<string, Promise<Outcome>>();
  const counts = { asked: 0, run: 0 };
  let end = fstatSync(pack).size;

  async function keep(spec: TrialSpec, outcome: Outcome): Promise<void> {
    const text = await readFile(join(trialsDir, spec.id, 'trajectory.json'), 'utf8');
    const line: Line = { id: spec.id, outcome, figure: ownFigure(JSON.parse(text) as Trajectory) };
    if (spec.role === 'search') {
      const packed = deflateRawSync(text, { level: 1 });
      line.at = end;
      line.bytes = packed.length;
      end += packed.length;
      writeSync(pack, packed);
    }
    writeSync(index, `${JSON.stringify(line)}\n`);
    known.set(spec.id, line);
    await rm(join(trialsDir, spec.id), { recursive: true, force: true });
  }

  async function runNow(spec: TrialSpec, signal?: AbortSignal): Promise<Outcome> {
    counts.run++;
    const [outcome] = await inner.evaluate([spec], () => {}, signal);
    if (outcome!.kind !== 'lost') await keep(spec, outcome!);
    return outcome!;
  }

  return {
    async evaluate(specs, onOutcome, signal) {
      return await Promise.all(
        specs.map(async (spec) => {
          counts.asked++;
          const line = known.get(spec.id);
          let outcome = line?.outcome;
          if (!outcome) {
            const started =
              running.get(spec.id) ?? runNow(spec, signal).finally(() => running.delete(spec.id));
            running.set(spec.id, started);
            outcome = await started;
          }
          onOutcome(spec, outcome);
          return outcome;
        }),
      );
    },
    async readTrajectory(trial) {
      const { at, bytes } = known.get(trial) ?? {};
      if (at === undefined || bytes === undefined) return null;
      const packed = Buffer.alloc(bytes);
      readSync(pack, packed, 0, bytes, at);
      return JSON.parse(inflateRawSync(packed).toString('utf8')) as Trajectory;
    },
    figure: (trial) => known.get(trial)?.figure ?? null,
    counts: () => ({ ...counts }),
    async close() {
      await inner.close();
      for (const file of [index, pack]) closeSync(file);
      lock.release();
    },
  };
}

/** All whole lines; what a kill has torn at the end is cut off, since lines are appended after it. */
function readIndex(index: number, path: string): Map<string, Line> {
  const size = fstatSync(index).size;
  const bytes = Buffer.alloc(size);
  readSync(index, bytes, 0, size, 0);
  const whole = bytes.lastIndexOf(10) + 1;
  if (whole < size) truncateSync(path, whole);
  const known = new Map<string, Line>();
  for (const text of bytes.toString('utf8', 0, whole).split('\n')) {
    if (text === '') continue;
    const line = JSON.parse(text) as Line;
    known.set(line.id, line);
  }
  return known;
}
