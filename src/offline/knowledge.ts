/**
 * All that the offline model knows as an agent, frozen: what it may do and how it leans in each situation, the slips
 * of its hand, and how strongly advice moves it. What it may propose as mutator and notice as critic stands in
 * `proposals.ts`; the code that it can write, in `drafts/` (by heart) and in the skills that it has read. Nothing here knows how the harness is
 * set up: the model sees words in a conversation, and this file tells what words do to it.
 *
 * Numbers are logits before the temperature: 1 is a factor of e in the odds.
 */

/** Where the work stands, as read from the conversation. */
export type Situation = 'start' | 'drafting' | 'ready' | 'failed' | 'fixed' | 'scored' | 'reviewed';

/** Each prior is multiplied by this, so that the model is decided where no advice is given. */
export const DECISIVENESS = 1.3;

/** Weight of advice against `words` words of rules, notes and skills in context: attention is spread thin. */
export const adviceWeight = (words: number): number => 9 / (1 + words / 320);

/** How much each source of advice counts. A reminder fades with every reply since it was given. */
export const TRUST = {
  rule: 0.5,
  note: 0.9,
  phase: 0.15,
  reminder: (age: number) => Math.max(0.15, 1 - 0.2 * age),
};

/** Each time in a row that a fruitless act was done makes it likelier to be done again: a rut, so deep at most. */
export const RUT = { step: 1.1, deepest: 3.3 };

/** What the model may do: its words for it, and how it leans in each situation (absent: it does not occur to it). */
export const ACTIONS = {
  look: {
    says: 'Look at the first rows of the data.',
    priors: { start: 1.6, drafting: -0.4, ready: -1.6, failed: 0.1, fixed: -1.6, scored: -1.4, reviewed: -2 },
  },
  read: {
    says: 'Read the skill for the data and the model.',
    priors: { start: 0.5, drafting: 0.2, ready: -2.5, failed: -1.6, fixed: -3, scored: 0.0, reviewed: -3 },
  },
  write: {
    says: 'Write the next file of the program.',
    priors: { start: 1.0, drafting: 1.6, failed: -1.2, scored: -1.0, ready: -2.4, fixed: -3, reviewed: -3 },
  },
  swap: {
    says: 'Use what the skill shows and write another model or other features.',
    priors: { scored: 2.6, ready: -0.6, failed: -1, fixed: -3, reviewed: -2 },
  },
  train: {
    says: 'Train and read the validation score.',
    priors: { ready: 2.7, fixed: 2.7 },
  },
  rerun: {
    says: 'Run the same training again and see whether it works now.',
    priors: { failed: 0.3, scored: -0.9, reviewed: -1 },
  },
  fix: {
    says: 'Fix the line that the error names.',
    priors: { failed: 2.2 },
  },
  misfix: {
    says: 'Change something else in the file and hope that the error goes away.',
    priors: { failed: 0.4 },
  },
  siblings: {
    says: 'Look for the same bug in the other files and fix it there too.',
    priors: { failed: -1.6, fixed: -0.6 },
  },
  restart: {
    says: 'Throw the files away and start over from a clean slate.',
    priors: { failed: -1.3, scored: -2.2, ready: -3, fixed: -3 },
  },
  raise: {
    says: 'Tune the model: raise its setting one step.',
    priors: { scored: 1.0, reviewed: -1 },
  },
  lower: {
    says: 'Tune the model: lower its setting one step.',
    priors: { scored: 0.6, reviewed: -1 },
  },
  revert: {
    says: 'Go back to the attempt with the best validation score.',
    priors: { scored: 0.4 },
  },
  review: {
    says: 'Review the files for silent faults before the submission.',
    priors: { ready: -2, fixed: -2, scored: -1.2 },
  },
  mend: {
    says: 'Mend the silent fault that the review showed.',
    priors: { reviewed: 2.6, drafting: -2, ready: -0.5, scored: 1 },
  },
  submitLast: {
    says: 'Submit the last result now.',
    priors: { scored: 1.2, reviewed: 1.4 },
  },
  submitBest: {
    says: 'Submit the attempt with the best validation score.',
    priors: { scored: -0.3, reviewed: 0.6 },
  },
} as const satisfies Record<string, { says: string; priors: Partial<Record<Situation, number>> }>;

export type ActionName = keyof typeof ACTIONS;

/** Fruitless when repeated in one conversation: these deepen into ruts. */
export const RUTTED: readonly ActionName[] = ['look', 'rerun', 'misfix'];

/** Small leanings that are no action of their own. */
export const LEANINGS = {
  /** Per share of a description's words that the task mentions (at most about 0.5). */
  relevance: 5,
  /** Reading a further skill for a file that another skill already covers. */
  secondSkill: -1.6,
  /** Writing from a skill that was read, over what is known by heart. */
  skilled: 1.4,
  /** By heart, the form that suits the data, and the one that does not. */
  suits: 0.6,
  misfits: -1.6,
  /** An error that names no line: where to mend is a guess. */
  vague: -1.3,
  /** Trying what it is already using. */
  already: -4,
  /** The last result is known to be behind an earlier one. */
  behind: 1.2,
  /** Few turns or no jobs are left. */
  late: 2.5,
};

/**
 * Slips of the hand: text that is written as `right` comes out as `wrong`. A slip is an ordinary choice with a low
 * prior, `SLIP` less than writing it right; `COPIED` more once the same slip stands in another file in view.
 */
export const SLIP = -3.3;
export const COPIED = 5.2;

/**
 * Habits: how likely a slip is also depends on the wording in front of the model, in a way that nobody can foresee.
 * The standard deviation of that leaning; where it is large, even the coldest model slips, each time anew.
 */
export const HABIT = 1.2;

export type Slip = {
  id: string;
  /** What it amounts to, in words that advice can touch. */
  about: string;
  /** Raises an error at its own line; else it stays silent. */
  loud: boolean;
  right: (name: { target: string }) => RegExp;
  wrong: string;
  /** Recognises the fault in a line or file, and what to put instead. */
  fault: (name: { target: string }) => RegExp;
  mended: (name: { target: string }) => string;
};

export const SLIPS: readonly Slip[] = [
  {
    id: 'placeholder',
    about: 'leave the placeholder of the target column in the code',
    loud: true,
    right: ({ target }) => new RegExp(`columns\\['${quoted(target)}'\\]`, 'g'),
    wrong: "columns['TARGET_COLUMN']",
    fault: () => /columns\['TARGET_COLUMN'\]/g,
    mended: ({ target }) => `columns['${target}']`,
  },
  {
    id: 'extension',
    about: 'import a file without its extension',
    loud: true,
    right: () => /from '(\.\/\w+)\.mjs'/g,
    wrong: "from '$1'",
    fault: () => /from '(\.\/\w+)'/g,
    mended: () => "from '$1.mjs'",
  },
  {
    id: 'invented',
    about: 'call a function that does not exist in the language',
    loud: true,
    right: () => /values\.reduce\(\(a, b\) => a \+ b, 0\) \/ values\.length/g,
    wrong: 'Math.mean(values)',
    fault: () => /Math\.mean\(values\)/g,
    mended: () => 'values.reduce((a, b) => a + b, 0) / values.length',
  },
  {
    id: 'missing',
    about: 'count missing cells as zero',
    loud: false,
    right: () => /\(cell\) => \(cell === '' \? Number\.NaN : Number\(cell\)\)/g,
    wrong: '(cell) => Number(cell)',
    fault: () => /number = \(cell\) => Number\(cell\)/g,
    mended: () => "number = (cell) => (cell === '' ? Number.NaN : Number(cell))",
  },
  {
    id: 'own-scale',
    about: 'scale the test rows by their own statistics',
    loud: false,
    right: () => /apply\(fitted, test\)/g,
    wrong: 'apply(prepare(test), test)',
    fault: () => /apply\(prepare\(test\), test\)/g,
    mended: () => 'apply(fitted, test)',
  },
  {
    id: 'log',
    about: 'forget to invert the logarithm of the target',
    loud: false,
    right: () => /=> Math\.expm1\(value\) \+ target\.shift/g,
    wrong: '=> value + target.shift',
    fault: () => /=> value \+ target\.shift/g,
    mended: () => '=> Math.expm1(value) + target.shift',
  },
];

/** Models known by heart: the ladder of their setting. */
export const LADDERS: Record<string, number[]> = { ridge: [0.1, 1, 10, 100] };

/** What drafts are good for, in words, to be matched with the task's. */
export const BY_HEART: Record<string, string> = {
  'features-plain.mjs':
    'plain numeric columns of a table: measurements, images, pixels, signals, history, values',
  'features-words.mjs': 'words of a text column: texts, messages, reviews, tokens',
};

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
