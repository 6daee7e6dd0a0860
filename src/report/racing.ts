import type { Event } from '../event.ts';
import { count, counted } from './format.ts';

/**
 * What racing saved: trials that newcomers would have taken on all search tasks, and did not as they were dropped after
 * their first ones; and how many trials the search took (stages `first` and `rest`). Null where nobody was dropped.
 */
export type Saved = { dropped: number; trials: number; saved: number };

export function savedByRacing(events: readonly Event[], tasks: number, firstTasks: number): Saved | null {
  let dropped = 0;
  // After a cut a stage is planned again, with the same trials.
  const trials = new Set<string>();
  for (const event of events) {
    if (event.type === 'dropped') dropped++;
    if (event.type === 'planned' && (event.stage === 'first' || event.stage === 'rest'))
      for (const id of [...event.trials, ...(event.known ?? [])]) trials.add(id);
  }
  const saved = dropped * Math.max(0, tasks - firstTasks);
  return saved === 0 ? null : { dropped, trials: trials.size, saved };
}

/** `2,310 of 5,210 trials (44%): 462 candidates were dropped after the first tasks`. */
export function racingText({ dropped, trials, saved }: Saved): string {
  const full = trials + saved;
  const share = Math.round((100 * saved) / full);
  const who = counted(dropped, 'candidate was', 'candidates were');
  return `${count(saved)} of ${counted(full, 'trial')} (${share}%): ${who} dropped after the first tasks`;
}
