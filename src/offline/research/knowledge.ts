import { ACTIONS } from '../knowledge.ts';

/**
 * What the offline model knows of research on a `train.py`: the constants that it has heard of, with values that people
 * take, good, useless and harmful ones alike, and what it may do. Numbers are logits, as in `../knowledge.ts`.
 */

/** Where an experiment stands: nothing trained yet; a result, and the file unread; read; changed; crashed. */
export type Situation = 'start' | 'unread' | 'scored' | 'ready' | 'failed';

/** A constant: its rungs from low to high, the words for it, and how the model leans to raising and lowering it. */
export type Constant = { rungs: readonly string[]; about: string; raise: number; lower: number };

export const CONSTANTS: Record<string, Constant> = {
  DEPTH: { rungs: rungs('1 2 3 4 6 8 12'), about: 'depth layers', raise: 0.2, lower: -0.3 },
  WIDTH: {
    rungs: rungs('32 48 64 96 128 192 256 384 512 768'),
    about: 'width embedding',
    raise: 0.2,
    lower: -0.3,
  },
  HEADS: { rungs: rungs('1 2 4 6 8 12'), about: 'heads attention', raise: 0, lower: -0.4 },
  CONTEXT: { rungs: rungs('16 32 64 96 128 256 512'), about: 'context window', raise: 0.2, lower: -0.3 },
  DROPOUT: { rungs: rungs('0.0 0.1 0.2 0.4'), about: 'dropout regularisation', raise: 0, lower: 0 },
  BATCH: { rungs: rungs('4 8 16 32 64 128 256'), about: 'batch size', raise: 0, lower: 0 },
  LEARNING_RATE: {
    rungs: rungs('0.0001 0.0003 0.001 0.003 0.01 0.03'),
    about: 'learning rate',
    raise: 1.2,
    lower: 0.2,
  },
  SCHEDULE: {
    rungs: rungs('"constant" "linear" "square"'),
    about: 'schedule decay learning rate',
    raise: 0.8,
    lower: -0.2,
  },
  WARMUP: { rungs: rungs('0.0 0.05 0.1 0.2 0.4'), about: 'warmup learning rate', raise: -0.2, lower: 0 },
  WEIGHT_DECAY: { rungs: rungs('0.0 0.01 0.1 0.3'), about: 'weight decay', raise: -0.1, lower: 0 },
  BETA2: { rungs: rungs('0.9 0.95 0.99 0.999'), about: 'beta momentum optimiser', raise: -0.4, lower: 0 },
  CLIP: { rungs: rungs('0.1 0.5 1.0 5.0'), about: 'gradient clipping', raise: -0.4, lower: -0.4 },
  SEED: { rungs: rungs('1 2 3 4'), about: 'random seed', raise: -0.4, lower: -0.6 },
};

/** What it may do: its words for it, and how it leans in each situation (absent: it does not occur to it). */
export const DEEDS = {
  look: {
    says: 'Read train.py and see what it does.',
    priors: { start: 1.2, unread: 2.2, scored: -1.6, ready: -2, failed: -0.4 },
  },
  train: { says: ACTIONS.train.says, priors: { start: 1.8, ready: 2.7 } },
  rerun: { says: ACTIONS.rerun.says, priors: { failed: 0.3, unread: -1.6, scored: -1.6 } },
  raise: { says: ACTIONS.raise.says, priors: { scored: 0.4, ready: -2.6, failed: -2.4 } },
  lower: { says: ACTIONS.lower.says, priors: { scored: 0.4, ready: -2.6, failed: -2.4 } },
  fix: { says: ACTIONS.fix.says, priors: { failed: 2.2 } },
  undo: { says: 'Take the last change back.', priors: { failed: 1.2, ready: -2 } },
  revert: { says: ACTIONS.revert.says, priors: { unread: 0.2, scored: 0.4, failed: 0.4 } },
  submitLast: { says: ACTIONS.submitLast.says, priors: { unread: -0.8, scored: -0.6 } },
  submitBest: { says: ACTIONS.submitBest.says, priors: { unread: -1, scored: -0.8 } },
} as const satisfies Record<string, { says: string; priors: Partial<Record<Situation, number>> }>;

export type Deed = keyof typeof DEEDS;

/** Trying a value again whose result it can see. */
export const TRIED = -1.5;

function rungs(values: string): string[] {
  return values.split(' ');
}
