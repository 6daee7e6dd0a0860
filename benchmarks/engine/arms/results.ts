import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../../../src/event.ts';
import type { Barrier } from '../../../src/report/clock.ts';

/** What became of one arm at one seed; a line of `results.jsonl`. */
export type ArmResult = {
  arm: string;
  seed: number;
  /** The trials that an arm may take. */
  trials: number;
  /** The slots at whose simulated wall time it was stopped; null for equal trials. */
  slots: number | null;
  /** Hash of suite, founders and settings: what was measured under others is not mixed in. */
  world: string;
  generations: number;
  /** Search trials that it asked for, finals included. */
  requested: number;
  champion: string;
  lineage: string;
  /** On the finals' search tasks, champion − baseline: what the search believes. */
  believed: number | null;
  gain: Result['gain'];
  near: number | null;
  far: number | null;
  verdict: Result['verdict'];
  /** Sealed means by task, in task order. */
  tasks: { task: string; baseline: number; champion: number }[];
  /** What its search had to wait for; empty for plain sampling. */
  barriers: Barrier[];
  /** What the edits of the LLM changed: genes in which such a child differs from its parent, by section; for searches. */
  edits?: Partial<Record<string, number>>;
  /** What luck alone would report of so many trials of the baseline; for plain sampling. */
  luck?: number | null;
};

/** Reads and appends results in `dir`; a line that a kill has torn is passed over. */
export function openResults(dir: string, world: string): { all: ArmResult[]; add(result: ArmResult): void } {
  const file = join(dir, 'results.jsonl');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const all = text
    .split('\n')
    .flatMap((line) => readLine(line))
    .filter((result) => result.world === world);
  if (text !== '' && !text.endsWith('\n')) appendFileSync(file, '\n');
  return {
    all,
    add(result) {
      all.push(result);
      appendFileSync(file, `${JSON.stringify(result)}\n`);
    },
  };
}

function readLine(line: string): ArmResult[] {
  try {
    return line === '' ? [] : [JSON.parse(line) as ArmResult];
  } catch {
    return [];
  }
}
