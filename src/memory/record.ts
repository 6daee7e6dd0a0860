import type { LessonRecord } from './lesson.ts';

/** A lesson is judged after this many children. */
const ENOUGH = 4;
/** What a child's shrunk gain usually deviates by, and the standard errors below 0 that are clear. */
const USUAL_SD = 0.1;
const CLEARLY = 1.64;

/** A candidate bred with lessons in the prompt: child − parent, of shrunk estimates. */
export type Offspring = { lessons: readonly string[]; gain: number };

/**
 * The records that change in a generation: those of the lessons its children were bred with. A lesson is retired, for
 * good, once at least four children were bred with it and their mean gain is clearly below 0, and clearly below that of
 * children bred with other lessons: most changes do harm, whatever was recalled, and that is not the lesson's fault.
 */
export function creditLessons(
  before: ReadonlyMap<string, LessonRecord>,
  offspring: readonly Offspring[],
): Record<string, LessonRecord> {
  const changed = new Map<string, LessonRecord>();
  for (const { lessons, gain } of offspring) {
    for (const id of lessons) {
      const record = changed.get(id) ?? before.get(id) ?? { bred: 0, gain: 0, retired: false };
      changed.set(id, { ...record, bred: record.bred + 1, gain: record.gain + gain });
    }
  }
  const all = [...new Map([...before, ...changed]).values()].reduce(
    (sum, record) => ({ bred: sum.bred + record.bred, gain: sum.gain + record.gain }),
    { bred: 0, gain: 0 },
  );
  for (const record of changed.values()) {
    if (record.bred < ENOUGH) continue;
    const others = all.bred > record.bred ? (all.gain - record.gain) / (all.bred - record.bred) : 0;
    const bound = Math.min(0, others) - (CLEARLY * USUAL_SD) / Math.sqrt(record.bred);
    if (record.gain / record.bred < bound) record.retired = true;
  }
  return Object.fromEntries(changed);
}
