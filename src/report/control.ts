import type { Control, Strategy } from '../config.ts';
import type { Result } from '../event.ts';
import { tInterval } from '../statistics/interval.ts';
import { type Barrier, clockOf, generationsWithin } from './clock.ts';
import { count, gain, span } from './format.ts';

/** What is kept of the run, or of one of its control arms, to compare them. */
export type ArmFigures = {
  arm: Strategy | Control;
  /** Search trials that it asked for, finals included; of plain sampling, draws beside the one that each repeat gets anyway. */
  trials: number;
  generations: number;
  gain: Result['gain'];
  /** On the finals' search tasks, champion − baseline; null where nothing was searched. */
  believed: number | null;
  /** Sealed gains by task. */
  tasks: { task: string; gain: number }[];
  /** What its search had to wait for. */
  barriers: Barrier[];
  /** Of plain sampling: what luck alone would report of so many trials of the baseline. */
  luck?: number | null;
};

/** `control.json` in a run's folder; the run's own search stands first. */
export type ControlFile = { version: 1; champion: string; arms: ArmFigures[] };

export const CONTROL_TITLES = ['arm', 'trials', 'sealed gain', '95%', 'p', 'believed', 'this − arm', '95%'];
export const CLOCK_TITLES = ['arm', 'generations', ...[4, 16, 64].map((slots) => `${slots} slots`)];

/** A line an arm: its gain over the baseline, and how far the run's own search is ahead, paired by task. */
export function controlRows({ arms }: ControlFile): string[][] {
  const [own, ...others] = arms;
  return arms.map((arm) => {
    const ahead = others.includes(arm) ? pairedGains(own!, arm) : [];
    const { gain: sealed, believed, luck } = arm;
    return [
      arm.arm,
      count(arm.trials),
      gain(sealed?.mean),
      sealed ? interval(sealed.ci95) : '–',
      sealed ? sealed.p.toFixed(3) : '–',
      luck === undefined ? gain(believed) : `${gain(luck)} by luck`,
      ahead.length === 0 ? '–' : gain(ahead.reduce((sum, x) => sum + x, 0) / ahead.length),
      ahead.length === 0 ? '–' : interval(tInterval(ahead)),
    ];
  });
}

/**
 * A line a search: how long it takes at the equal trials by the simulated clock, and at which generation it would stand
 * when the run's own search ends. Plain sampling waits for nothing.
 */
export function clockRows({ arms }: ControlFile): string[][] {
  const [own] = arms;
  return arms
    .filter(({ barriers }) => barriers.length > 0)
    .map((arm) => [
      arm.arm,
      String(arm.generations),
      ...[4, 16, 64].map((slots) => {
        const clock = clockOf(arm.barriers, slots);
        const end = `${span(1000 * clock.end)}`;
        if (arm === own) return end;
        const limit = clockOf(own!.barriers, slots).generations.at(-1) ?? 0;
        const ended = (clock.generations.at(-1) ?? 0) <= limit;
        return `${end}; ${ended ? 'could go on' : `at ${generationsWithin(clock, limit)} by then`}`;
      }),
    ]);
}

/** What the tables mean. */
export const CONTROL_NOTES = [
  'the same seeds, founders and sealed tasks for all; differences are paired by task',
  'an arm may take as many trials as the run itself, or what one generation and its finals take if that is more',
  'it ends where another generation would be too many',
  'resample: the baseline alone, drawn again; the draw whose agent found the best validation figure counts',
  'times are simulated: 10 s a turn, 60 s a job, 30 s a call of mutator or critic, one trial a slot',
];

/** Differences of sealed gains on the tasks that both have. */
function pairedGains(own: ArmFigures, other: ArmFigures): number[] {
  const gains = new Map(other.tasks.map(({ task, gain: value }) => [task, value]));
  return own.tasks.flatMap(({ task, gain: value }) => {
    const theirs = gains.get(task);
    return theirs === undefined ? [] : [value - theirs];
  });
}

function interval([low, high]: readonly [number, number]): string {
  return `${gain(low)} to ${gain(high)}`;
}
