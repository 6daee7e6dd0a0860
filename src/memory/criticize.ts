import type { Trajectory } from '../agent/trajectory.ts';
import { hashJson, type Json } from '../json.ts';
import { jsonReply } from '../llm/json-reply.ts';
import type { Llm } from '../llm/llm.ts';
import { critique } from './critique-prompt.ts';
import type { Lesson } from './lesson.ts';
import { jaccard } from './likeness.ts';
import { lessonWords } from './recall.ts';

/** A trial worth a look: what the candidate did on a search task, beside the baseline on the same seed. */
export type Case = {
  lineage: string;
  generation: number;
  task: { id: string; family: string };
  /** Gene paths of the candidate, as they can be named in a lesson. */
  genes: string[];
  own: { trial: string; score: number; trajectory: Trajectory };
  reference: { trial: string; score: number; trajectory: Trajectory | null };
};

/** Longest text of a lesson's field, most gene paths, and most lessons from one case. */
const LONGEST = 500;
const MOST_GENES = 5;
const MOST_LESSONS = 3;
/** Lessons whose words overlap this much are the same lesson. */
const ALIKE = 0.8;

/**
 * Asks the model what can be learnt from a case. Whatever it answers, only well-formed lessons come back: none is
 * an answer too. Rejects only as `ask` does.
 */
export async function criticize(ask: Llm, model: string, seed: number, it: Case): Promise<Lesson[]> {
  const reply = await ask({ model, messages: critique(it), temperature: 1, seed });
  const found = jsonReply(reply.message.content)?.lessons;
  if (!Array.isArray(found)) return [];
  return found.slice(0, MOST_LESSONS).flatMap((entry) => asLesson(entry, it));
}

/** Whether a lesson says what one of the others says, retired ones included: those shall not come back. */
export function isKnown(lesson: Lesson, others: ReadonlyMap<string, Lesson>): boolean {
  if (others.has(lesson.id)) return true;
  const words = lessonWords(lesson);
  return [...others.values()].some((other) => jaccard(words, lessonWords(other)) >= ALIKE);
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
        .filter((path) => typeof path === 'string' && /^[a-z_]+(\.[\w-]+)?$/.test(path))
        .slice(0, MOST_GENES) as string[],
      evidence: [it.own.trial, it.reference.trial],
      lineage: it.lineage,
      generation: it.generation,
    },
  ];
}

function asText(value: Json | undefined): string | null {
  if (typeof value !== 'string') return null;
  const text = value.replace(/\s+/g, ' ').trim();
  return text === '' || text.length > LONGEST ? null : text;
}
