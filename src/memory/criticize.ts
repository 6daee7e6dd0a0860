import type { Trajectory } from '../agent/trajectory.ts';
import type { Outcome } from '../evaluation/trial.ts';
import type { Genome } from '../genome/genome.ts';
import { hashJson, type Json } from '../json.ts';
import type { Advisor } from '../llm/advisor.ts';
import { LlmError } from '../llm/llm.ts';
import { ending } from '../prompts/ending.ts';
import { excerpt } from '../prompts/excerpt.ts';
import { oneLine } from '../prompts/one-line.ts';
import { points } from '../prompts/points.ts';
import { promptRoom, replyTokens } from '../prompts/prompt-room.ts';
import { type CritiqueText, critiquePrompt, POINTS } from '../prompts/prompts.ts';
import { readReply } from '../prompts/read-reply.ts';
import { type Opening, wholeTrace } from '../prompts/trace.ts';
import { tryAsk } from '../prompts/try-ask.ts';
import type { Lesson } from './lesson.ts';
import { jaccard } from './likeness.ts';
import { lessonWords } from './recall.ts';

/** A trial worth a look: what the candidate did on a search task, beside the reference on the same seed. */
export type Case = {
  lineage: string;
  generation: number;
  task: { id: string; family: string };
  /** What the trial opened with, where it is not the usual. */
  setting?: string | undefined;
  /** Gene paths of the candidate, as they can be named in a lesson. */
  genes: string[];
  /** The candidate's genome, for the rules that were in force; left out where it is not at hand. */
  genome?: Genome;
  own: { trial: string; score: number; trajectory: Trajectory; outcome?: Outcome };
  /** `harness` says what the reference is, where it is not the baseline. */
  reference: { trial: string; score: number; trajectory: Trajectory | null; harness?: string };
};

/** What criticism takes: the model, the request's seed, the case, and lessons that shall not be written again. */
export type CriticizeParts = { critic: Advisor; seed: number; it: Case; known: readonly Lesson[] };

/** Longest text of a lesson's field, most gene paths, and most lessons from one case. */
const LONGEST = 500;
const MOST_GENES = 5;
const MOST_LESSONS = 3;
/** Lessons whose words overlap this much are the same lesson. */
const ALIKE = 0.8;
/** Two lessons take some 500 tokens; the rest is for thinking, which counts as output. */
const REPLY = 4096;
/** Characters of the two traces, and of what stood before the first turn. */
const WHOLE = 24_000;
const REFERENCE_WHOLE = 12_000;
const OPENING: Opening = { system: 3000, user: 2000 };

/**
 * Asks the critic what can be learnt from a case. Whatever it answers, only well-formed lessons come back: none is an
 * answer too, and so is a critic that does not answer. Rejects only for faults that stop the run.
 */
export async function criticize({ critic, seed, it, known }: CriticizeParts): Promise<Lesson[]> {
  const { ask, model, context } = critic;
  const max_tokens = replyTokens(REPLY, context);
  const request = (room: number) => ({
    model,
    messages: critiquePrompt(critiqueText(it, known, room)),
    temperature: 1,
    seed,
    max_tokens,
  });
  let reply = await tryAsk(ask, request(promptRoom(max_tokens, context)));
  // A context smaller than was thought has no room for whole traces.
  if (reply instanceof LlmError && reply.fault === 'too-long') reply = await tryAsk(ask, request(0));
  if (reply instanceof LlmError) return [];
  const read = readReply(reply.message.content);
  const found = typeof read === 'string' || !Array.isArray(read.lessons) ? [] : read.lessons;
  return found.slice(0, MOST_LESSONS).flatMap((entry) => asLesson(entry, it));
}

/** Whether a lesson says what one of the others says, retired ones included: those shall not come back. */
export function isKnown(lesson: Lesson, others: ReadonlyMap<string, Lesson>): boolean {
  if (others.has(lesson.id)) return true;
  const words = lessonWords(lesson);
  return [...others.values()].some((other) => jaccard(words, lessonWords(other)) >= ALIKE);
}

/** What the critic is told; short excerpts always, whole traces as far as `room` (characters) allows. */
function critiqueText(it: Case, known: readonly Lesson[], room: number): CritiqueText {
  const { own, reference, task, setting, genes, genome } = it;
  const { harness = 'the baseline harness' } = reference;
  const text: CritiqueText = {
    setting,
    harness,
    task: `${task.id} (${task.family})`,
    scores: `The agent under this harness scored ${points(own.score)}; under ${harness}, with the same seed, ${points(reference.score)}. ${POINTS}`,
    excerpt: excerpt(own.trajectory),
    whole: '',
    referenceExcerpt: reference.trajectory ? excerpt(reference.trajectory) : '',
    referenceWhole: '',
    outcome: own.outcome ? ending(own.outcome) : '',
    rules: genome ? rulesOf(genome) : '',
    genes: genes.join(', '),
    known: known.map(({ symptom, cause, advice }) => `- ${symptom} ${cause} ${advice}`).join('\n'),
  };
  const used = critiquePrompt(text).reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
  const left = room - used;
  // Less than a few turns says no more than the excerpt.
  if (left < 4000) return text;
  const whole = Math.min(WHOLE, reference.trajectory ? Math.floor((2 * left) / 3) : left);
  const rest = Math.min(REFERENCE_WHOLE, left - whole);
  return {
    ...text,
    whole: wholeTrace(own.trajectory, whole - 100, OPENING),
    referenceWhole: reference.trajectory ? wholeTrace(reference.trajectory, rest - 100) : '',
  };
}

function rulesOf({ rules }: Genome): string {
  const lines = Object.entries(rules).map(
    ([id, { when, text }]) => `- rules.${id} (${when}): ${oneLine(text)}`,
  );
  return lines.length === 0 ? 'None.' : lines.join('\n');
}

function asLesson(entry: Json, it: Case): Lesson[] {
  if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) return [];
  const [symptom, cause, advice] = [entry.symptom, entry.cause, entry.advice].map(asText);
  if (!symptom || !cause || !advice) return [];
  const named = Array.isArray(entry.genes) ? entry.genes : [];
  return [
    {
      id: hashJson([symptom, cause, advice]),
      symptom,
      cause,
      advice,
      genes: named
        .filter((path) => typeof path === 'string' && /^[a-z_]+(\.[\w-]{1,64})?$/.test(path))
        .slice(0, MOST_GENES) as string[],
      evidence: [it.own.trial, it.reference.trial],
      lineage: it.lineage,
      generation: it.generation,
    },
  ];
}

function asText(value: Json | undefined): string | null {
  if (typeof value !== 'string') return null;
  const text = oneLine(value);
  return text === '' || text.length > LONGEST ? null : text;
}
