import type { Genome, Trigger } from '../genome/genome.ts';
import { type Line, LOOP_WARNING, type Phase, reminders } from './prompt.ts';
import type { ToolResult } from './tools.ts';

/** Decides which rules are put before the agent, and when. One per trial: some rules fire only once in it. */
export type Triggers = {
  /** After a step: rules on errors, on fixes (an edit that follows an error), on loops. */
  afterStep(results: readonly ToolResult[], looping: boolean): Line[];
  /** What the coming turn brings: the start, the last quarter of the turns, the checking phase. */
  beforeTurn(turn: number, turns: number, phase: Phase): Line[];
  /** Rules that hold back the first submission; empty once they have been shown. */
  beforeSubmit(): Line[];
};

export function ruleTriggers(genome: Genome): Triggers {
  const fired = new Set<Trigger>();
  let errorOpen = false;

  function once(trigger: Trigger, now: boolean): Line[] {
    if (!now || fired.has(trigger)) return [];
    fired.add(trigger);
    return reminders(genome, trigger);
  }

  return {
    afterStep(results, looping) {
      const failed = results.some((result) => result.error);
      const edited = results.some((result) => result.edited);
      const lines = failed ? reminders(genome, 'after-error') : [];
      if (errorOpen && edited && !failed) lines.push(...reminders(genome, 'after-fix'));
      if (failed) errorOpen = true;
      else if (edited || results.some((result) => result.scored)) errorOpen = false;
      if (looping) lines.push({ text: LOOP_WARNING, gene: 'loop' }, ...reminders(genome, 'on-loop'));
      return lines;
    },
    beforeTurn: (turn, turns, phase) => [
      ...once('start', true),
      ...once('low-budget', turn > turns * 0.75),
      ...once('before-submit', phase === 'checking'),
    ],
    beforeSubmit: () => once('before-submit', true),
  };
}
