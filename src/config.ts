import type { SearchSettings } from './state.ts';

/** All that a run is told: flags over file over environment over defaults. */
export type RunConfig = {
  population: number;
  generations: number;
  suite: string;
  genomes: string;
  model: string;
  seed: number;
  /** Threads. */
  workers: number;
  /** Trials in flight. */
  concurrency: number;
  /** The run's folder; null for a new `runs/<date>-<n>`. */
  out: string | null;
  budgetUsd: number | null;
  budgetTrials: number | null;
  maxTimeMs: number | null;
  jobCache: boolean;
  search: SearchSettings;
};
