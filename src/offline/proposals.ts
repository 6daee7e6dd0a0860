import type { Trigger } from '../genome/genome.ts';

/**
 * What the offline model knows as mutator and critic: rules that it may propose, good, idle and harmful ones alike
 * and not marked as such, and what a critic may notice. What is any good is for the search to find out.
 */

export type ProposedRule = { when: Trigger; text: string; prior: number };

export const RULES: readonly ProposedRule[] = [
  {
    when: 'after-fix',
    prior: 0,
    text: 'After a fix, look for the same bug in the other files and fix it there too.',
  },
  { when: 'after-error', prior: 0, text: 'Fix the line that the error names.' },
  { when: 'after-error', prior: 0, text: 'Never run the same training again before something is changed.' },
  { when: 'on-loop', prior: 0, text: 'Fix the line that the error names, or write another model.' },
  { when: 'start', prior: 0, text: 'Read the skill that suits the data and the model before anything else.' },
  {
    when: 'always',
    prior: 0,
    text: 'Use what the skills show: write another model or other features once there is a score.',
  },
  { when: 'always', prior: 0, text: 'Tune the model one step at a time: raise its setting.' },
  { when: 'before-submit', prior: 0, text: 'Submit the attempt with the best validation score.' },
  { when: 'low-budget', prior: 0, text: 'Go back to the attempt with the best validation score.' },
  {
    when: 'always',
    prior: 0,
    text: 'Never call a function that does not exist in the language. Never import a file without its extension. Never leave the placeholder of the target column in the code.',
  },
  { when: 'before-submit', prior: 0, text: 'Review the files for silent faults before the submission.' },
  { when: 'always', prior: 0, text: 'Write clear and professional code that others will like to read.' },
  { when: 'start', prior: 0, text: 'Take a deep breath and think about the big picture.' },
  { when: 'always', prior: 0, text: 'Be brief, be bold, and keep a good mood.' },
  { when: 'after-error', prior: 0, text: 'Throw the files away and start over from a clean slate.' },
  { when: 'after-error', prior: 0, text: 'Run the same training again and see whether it works now.' },
  { when: 'always', prior: 0, text: 'Look at the first rows of the data again before each step.' },
  { when: 'always', prior: 0, text: 'Submit the last result now: done is better than perfect.' },
  {
    when: 'after-error',
    prior: 0,
    text: 'Change something else in the file and hope that the error goes away.',
  },
];

/**
 * How the mutator leans: to a kind of edit, per unit of overlap with the lessons it was shown (`heed`) and with the
 * families where the harness is weak (`fit`), and for each earlier edit of the same gene. `most`: edits at a time.
 */
export const MUTATOR = {
  rule: 0.3,
  skill: 0.9,
  setting: 0.3,
  removal: -0.8,
  heed: 3,
  untold: -0.8,
  most: 3,
  fit: 3,
  didWell: 0.5,
  didHarm: -0.8,
};

/** What a critic may notice in a trace, in the order of its attention. */
export type Insight = {
  /** What it sees: a property of the trace's text. */
  seen: (trace: Trace) => boolean;
  symptom: string;
  cause: string;
  advice: string;
};

/** A trace as a critic reads it: what was said, what came back. */
export type Trace = { text: string; said: string[]; errors: string[] };

export const INSIGHTS: readonly Insight[] = [
  {
    seen: ({ errors }) => new Set(errors).size >= 2,
    symptom: 'One training after the other failed, each time in another file, with the same kind of error.',
    cause: 'The same bug stood in several files and was fixed in one at a time.',
    advice: 'After a fix, look for the same bug in the other files and fix it there too.',
  },
  {
    seen: ({ said }) => said.some((text, i) => i > 1 && text === said[i - 1] && text === said[i - 2]),
    symptom: 'The agent repeated itself turn after turn with the same result.',
    cause: 'Nothing happens when the agent repeats itself.',
    advice: 'Watch for repeats: when steps are alike, warn the agent or let it switch.',
  },
  {
    seen: ({ text }) => (text.match(/no better than/g) ?? []).length >= 2,
    symptom: 'Later attempts were no better than an early one, and failed ideas were tried again.',
    cause: 'The notes of failed attempts are not kept, or too few notes are seen.',
    advice: 'Keep notes of failed attempts, and let the agent see more notes of earlier attempts.',
  },
  {
    seen: ({ text, said }) =>
      /no better than/.test(text) && said.at(-1)?.startsWith('Submit the last') === true,
    symptom: 'The last result was submitted although an earlier attempt had a better validation score.',
    cause: 'Nothing reminds the agent of its best attempt before it submits.',
    advice: 'Before submitting, submit the attempt with the best validation score.',
  },
  {
    seen: ({ text }) => /ridge/.test(text) && !/Use what the skill shows/.test(text),
    symptom: 'The agent stayed with a plain model and plain features.',
    cause: 'It read no skill that suits the data, or there is none.',
    advice: 'Read the skill that suits the data and the model, and give it a skill for such data.',
  },
  {
    seen: ({ errors }) => errors.length >= 2,
    symptom: 'Several careless slips in a row cost most of the turns.',
    cause: 'The model samples too freely.',
    advice: 'Sample less freely, so that the likeliest choice is taken more often.',
  },
  {
    seen: ({ said }) => said.at(-1)?.startsWith('Submit') === true && said.length < 13,
    symptom: 'The agent submitted with many turns left.',
    cause: 'It was content with its first score.',
    advice: 'Use what the skills show and write another model or other features once there is a score.',
  },
  {
    seen: ({ errors }) => errors.length >= 1,
    symptom: 'An error cost time.',
    cause: 'The agent clung to code that did not work.',
    advice: 'Throw the files away and start over from a clean slate after an error.',
  },
  {
    seen: () => true,
    symptom: 'The work was not as tidy as it could be.',
    cause: 'The agent pays little heed to style.',
    advice: 'Write clear and professional code that others will like to read.',
  },
];
