import type { Event, Foresight } from '../event.ts';
import type { Totals } from '../llm/ledger-book.ts';
import type { State } from '../state.ts';

/** A gene that an endpoint took with another value than the genome says. */
export type Narrowed = { path: string; told: number; used: number };

/** What the report says of the models behind a run. */
export type ModelsReport = {
  agent: string;
  mutator: string;
  critic: string;
  /** Paths of genes that the agent's endpoint cannot express: nothing changed them. */
  frozen: string[];
  /** Of the champion, or of the baseline where there is none yet. */
  narrowed: Narrowed[];
  /** All calls, those that failed included; null where no endpoint was asked. */
  spending: Totals | null;
  /** How often calls waited for an endpoint that was down, and for how long in all. */
  pauses: { count: number; ms: number };
  /** Whether the mutator knows what its edits will do: its hits, beside what improved without being named. */
  foresight: Foresight;
};

/** The report's part on models. Pure. */
export function modelsOf(
  state: State,
  events: readonly Event[],
  known: { spending: Totals | null; narrowed: Narrowed[] },
): ModelsReport {
  const { model = '', mutator = model, critic = model, frozen = [] } = state.identity ?? {};
  const pauses = { count: 0, ms: 0 };
  for (const event of events) {
    if (event.type === 'paused') pauses.count++;
    if (event.type === 'unpaused') pauses.ms += event.pausedMs;
  }
  return { agent: model, mutator, critic, frozen, ...known, pauses, foresight: { ...state.foresight } };
}
