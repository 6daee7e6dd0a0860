/** Which texts there are, and in which role. Of kinds that the search does not see, the sealed ones are far. */
export const TASKS = [
  ...['tales-1', 'ledgers-1'].map((id) => ({ id, role: 'search' })),
  ...['tales-2', 'talks-1'].map((id) => ({ id, role: 'validation' })),
  ...['tales-3', 'tales-4', 'ledgers-2', 'ledgers-3', 'talks-2', 'recipes-1', 'recipes-2'].map((id) => ({
    id,
    role: 'sealed',
  })),
];

/** The seed of the suite that ships. */
export const SHIPPED_SEED = 20261;

/**
 * How large everything is: `words` nouns in a language, a text of `bytes`, `contexts` of `window` bytes to predict from, and what
 * is set in `prepare.py` and `train.py`. `limits` are those of `task.json`; what lies between `seconds` and
 * `limits.jobSeconds` is for the start, the measures and the submission.
 */
export const CONFIGS = {
  cpu: {
    words: 160,
    bytes: 64_000,
    contexts: 400,
    window: 96,
    seconds: 10,
    prepare: {},
    train: {},
    limits: { turns: 30, jobs: 12, jobSeconds: 30, memoryMb: 2048, clock: 'cpu', gpus: 0, cpus: 1 },
  },
  gpu: {
    words: 4000,
    bytes: 16_000_000,
    contexts: 3000,
    window: 512,
    seconds: 300,
    prepare: { 'QUICK, FULL': '2000, 20000' },
    train: { DEPTH: 6, WIDTH: 384, HEADS: 6, CONTEXT: 256, BATCH: 64 },
    limits: { turns: 60, jobs: 30, jobSeconds: 480, memoryMb: 16_384, clock: 'wall', gpus: 1, cpus: 4 },
  },
};

/** Settings of train.py that leaderboards have a row for, as far as somebody has measured them (`measure.mjs`). */
export const ZOO = {
  'as it stands': {},
  'learning rate 0.001': { LEARNING_RATE: 0.001 },
  'learning rate 0.003, linear': { LEARNING_RATE: 0.003, SCHEDULE: '"linear"' },
  'learning rate 0.01, linear, width 48, batch 12': {
    LEARNING_RATE: 0.01,
    SCHEDULE: '"linear"',
    WIDTH: 48,
    BATCH: 12,
  },
};
