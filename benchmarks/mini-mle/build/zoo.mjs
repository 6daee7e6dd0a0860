/**
 * The zoo: the methods whose scores are the rows of a leaderboard. One rule for every family: the same tiers, the
 * same settings; a family only says what a first draft reads (`plain`), which features and target suit it (`good`,
 * `target`). It was composed on sister suites and fixed before any agent was scored on the shipped one.
 */

/** What suits a family. `also`: other features that a competitor might try. */
export const FAMILIES = {
  'tabular-classification': { plain: 'plain', good: 'tabular-encoding', target: 'plain' },
  'tabular-regression': { plain: 'plain', good: 'tabular-encoding', target: 'log-target' },
  images: { plain: 'plain', good: 'image-gradients', target: 'plain' },
  denoising: { plain: 'plain', good: 'neighbourhood-windows', target: 'plain' },
  'text-classification': { plain: 'words', good: 'character-ngrams', target: 'plain' },
  'text-normalisation': { plain: 'words', good: 'token-shapes', target: 'token-operations' },
  forecasting: { plain: 'plain', good: 'lag-features', target: 'plain' },
  signals: { plain: 'plain', good: 'spectral-bands', target: 'plain' },
  'event-detection': { plain: 'plain', good: 'tabular-encoding', target: 'plain' },
  'ordinal-rating': { plain: 'plain', good: 'tabular-encoding', target: 'plain' },
  spectra: { plain: 'plain', good: 'plain', target: 'plain' },
  'symbol-sequences': { plain: 'words', good: 'character-ngrams', target: 'plain' },
  counts: { plain: 'plain', good: 'tabular-encoding', target: 'log-target' },
};

/** Settings that competitors try, model by model. */
const GRID = {
  'nearest-neighbours': [1, 4, 12, 36],
  'random-forest': [3, 8, 20, 50],
  'gradient-boosting': [6, 20, 60, 160],
  'neural-network': [2, 5, 10, 20],
  'kernel-ridge': [0.01, 0.1, 1, 10],
};

/** The steps between those settings, for families whose good features are the plain ones. */
const BETWEEN = {
  'nearest-neighbours': [2, 7, 20, 60],
  'random-forest': [5, 12, 30, 80],
  'gradient-boosting': [10, 35, 100, 250],
  'neural-network': [3, 7, 14, 28],
  'kernel-ridge': [0.003, 0.03, 0.3, 3],
};

/** What those who tune try besides. */
const FINER = {
  'nearest-neighbours': [3, 8],
  'random-forest': [15, 40],
  'gradient-boosting': [40, 120],
  'neural-network': [4, 8],
  'kernel-ridge': [0.05, 0.5],
};

/** Entries of people who hardly tried: little data, one column, far too much or too little of a setting. */
const WEAK = [
  { constant: true },
  { model: 'ridge', setting: 1, column: 0 },
  { model: 'ridge', setting: 1, column: 5 },
  { model: 'gradient-boosting', setting: 6, column: 12 },
  { model: 'gradient-boosting', setting: 1 },
  { model: 'ridge', setting: 30000 },
  { model: 'ridge', setting: 10, rows: 0.08 },
  { model: 'random-forest', setting: 3, rows: 0.15 },
  { model: 'nearest-neighbours', setting: 1, rows: 0.25 },
  { model: 'gradient-boosting', setting: 6, rows: 0.1 },
  { model: 'ridge', setting: 1, column: 3 },
  { model: 'ridge', setting: 1, column: 9 },
  { model: 'gradient-boosting', setting: 6, column: 0 },
  { model: 'nearest-neighbours', setting: 12, column: 5 },
  { model: 'ridge', setting: 3000 },
  { model: 'ridge', setting: 100, rows: 0.08 },
  { model: 'ridge', setting: 10, rows: 0.15 },
  { model: 'random-forest', setting: 3, rows: 0.08 },
  { model: 'nearest-neighbours', setting: 1, rows: 0.08 },
  { model: 'nearest-neighbours', setting: 4, rows: 0.15 },
  { model: 'gradient-boosting', setting: 20, rows: 0.15 },
  { model: 'neural-network', setting: 2, rows: 0.15 },
];

/** First drafts on the features that need no thought. */
const DRAFTS = [
  { model: 'ridge', setting: 0.01 },
  { model: 'ridge', setting: 1 },
  { model: 'ridge', setting: 10 },
  { model: 'ridge', setting: 100 },
  { model: 'ridge', setting: 1000 },
  { model: 'ridge', setting: 1, rows: 0.4 },
  { model: 'ridge', setting: 100, rows: 0.4 },
  { model: 'ridge', setting: 10, rows: 0.7 },
  { model: 'random-forest', setting: 3, rows: 0.5 },
  { model: 'gradient-boosting', setting: 20, rows: 0.5 },
];

/** Every model at every setting of a grid. */
const everyOf = (grid) =>
  Object.entries(grid).flatMap(([model, settings]) => settings.map((setting) => ({ model, setting })));

/** What is done with the features that suit the family: every model, ridge, and both kinds of features side by side. */
const RIDGES = [1, 10, 100].map((setting) => ({ model: 'ridge', setting }));
const BOTH = [
  { model: 'ridge', setting: 100, both: true },
  { model: 'random-forest', setting: 50, both: true },
  { model: 'gradient-boosting', setting: 60, both: true },
  { model: 'neural-network', setting: 5, both: true },
  { model: 'kernel-ridge', setting: 1, both: true },
];

/** Ensembles that an agent with one fit a job does not write: all training rows, resamples, blends. */
const BEYOND = [
  [{ model: 'random-forest', setting: 200, rows: 'all' }],
  [{ model: 'gradient-boosting', setting: 60, rows: 'all', bags: 8 }],
  [{ model: 'neural-network', setting: 10, rows: 'all', bags: 6 }],
  [{ model: 'kernel-ridge', setting: 0.3, rows: 'all' }],
  [
    { model: 'random-forest', setting: 100, rows: 'all' },
    { model: 'gradient-boosting', setting: 60, rows: 'all', bags: 4 },
    { model: 'ridge', setting: 30, rows: 'all' },
  ],
  [
    { model: 'neural-network', setting: 10, rows: 'all', bags: 4 },
    { model: 'kernel-ridge', setting: 0.3, rows: 'all' },
    { model: 'ridge', setting: 30, rows: 'all' },
  ],
  [
    { model: 'gradient-boosting', setting: 100, rows: 'all', bags: 4 },
    { model: 'kernel-ridge', setting: 1, rows: 'all', both: true },
  ],
  [
    { model: 'random-forest', setting: 100, rows: 'all', both: true },
    { model: 'gradient-boosting', setting: 60, rows: 'all', bags: 4, both: true },
    { model: 'neural-network', setting: 5, rows: 'all', bags: 4 },
    { model: 'kernel-ridge', setting: 0.3, rows: 'all' },
  ],
  [{ model: 'gradient-boosting', setting: 160, rows: 'all', bags: 6 }],
  [{ model: 'kernel-ridge', setting: 0.1, rows: 'all', bags: 4 }],
];

/** Blends whose members are those that did best on the held-out rows, fitted again on all rows. */
const CHOSEN = [
  { keep: 2, bags: 1 },
  { keep: 4, bags: 2 },
  { keep: 6, bags: 2 },
];

/**
 * The methods of a family, in tiers from weak to beyond the offline agent.
 * @param {string} family a key of `FAMILIES`
 * @returns {{ tier: string, name: string, method: import('./methods.mjs').Method }[]}
 */
export function zooOf(family) {
  const { plain, good, target } = FAMILIES[family];
  const skilled = [...RIDGES, ...everyOf(good === plain ? BETWEEN : GRID)];
  const finer = everyOf(FINER);
  const member = (usual, { both, ...rest }) => ({ features: both ? [plain, good] : [usual], ...rest });
  const row = (tier, to, members, more = {}) => {
    const method = { target: to, members, ...more };
    return { tier, name: nameOf(method), method };
  };
  const drafted = (tier) => (entry) =>
    entry.constant ? row(tier, 'plain', [], { constant: true }) : row(tier, 'plain', [member(plain, entry)]);
  return [
    ...WEAK.map(drafted('weak')),
    ...DRAFTS.map(drafted('draft')),
    ...everyOf(GRID).map(drafted('generic')),
    ...[...skilled, ...finer, ...(good === plain ? [] : BOTH)].map((entry) =>
      row('skilled', target, [member(good, entry)]),
    ),
    ...BEYOND.map((entries) =>
      row(
        'beyond',
        target,
        entries.map((entry) => member(good, entry)),
      ),
    ),
    ...CHOSEN.map((more) =>
      row(
        'beyond',
        target,
        skilled.map((entry) => member(good, entry)),
        more,
      ),
    ),
  ];
}

function nameOf({ target, members, constant, keep, bags }) {
  if (constant) return 'constant';
  if (keep) return `the best ${keep} of ${members.length} by held-out rows; bags=${bags}`;
  const parts = members.map((m) => {
    const extra = ['rows', 'bags', 'column']
      .filter((key) => m[key] !== undefined)
      .map((key) => ` ${key}=${m[key]}`);
    return `${m.model}=${m.setting} on ${m.features.join('+')}${extra.join('')}`;
  });
  return parts.join(' & ') + (target === 'plain' ? '' : ` to ${target}`);
}
