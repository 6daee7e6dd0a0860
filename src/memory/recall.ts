import type { Lesson, LessonRecord } from './lesson.ts';
import { coverage, wordsOf } from './likeness.ts';

/** How much a mean gain of one point of 100 weighs against one point of 100 of relevance. */
const RECORD_WEIGHT = 5;
/** Children without gain that a record is diluted with, so that one lucky child makes no reputation. */
const CAUTION = 4;
/** Small and falling: lessons that nobody was bred with yet deserve a look. */
const NOVELTY = 0.05;

/**
 * The `k` lessons, of all lineages, to put before a mutator: those whose words stand in `situation` (what went
 * wrong for the parent, as text), and whose children did well. Retired ones are not recalled. Ties go by id.
 */
export function recall(
  lessons: ReadonlyMap<string, Lesson>,
  records: ReadonlyMap<string, LessonRecord>,
  situation: string,
  k = 5,
): Lesson[] {
  const words = wordsOf(situation);
  return [...lessons.values()]
    .filter((lesson) => !records.get(lesson.id)?.retired)
    .map((lesson) => ({ lesson, worth: worth(lesson, records.get(lesson.id), words) }))
    .sort((a, b) => b.worth - a.worth || (a.lesson.id < b.lesson.id ? -1 : 1))
    .slice(0, k)
    .map(({ lesson }) => lesson);
}

/** The words of a lesson, for relevance and for likeness; worked out once for each lesson. */
export function lessonWords(lesson: Lesson): Set<string> {
  const words = known.get(lesson) ?? wordsOf(`${lesson.symptom} ${lesson.cause} ${lesson.advice}`);
  known.set(lesson, words);
  return words;
}

const known = new WeakMap<Lesson, Set<string>>();

function worth(lesson: Lesson, record: LessonRecord | undefined, situation: ReadonlySet<string>): number {
  const { bred, gain } = record ?? { bred: 0, gain: 0 };
  return (
    coverage(lessonWords(lesson), situation) +
    (RECORD_WEIGHT * gain) / (bred + CAUTION) +
    NOVELTY / (1 + bred)
  );
}
