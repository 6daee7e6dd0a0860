/** A self-criticism, kept for all lineages. */
export type Lesson = {
  /** Hash of symptom, cause and advice. */
  id: string;
  symptom: string;
  cause: string;
  advice: string;
  /** Gene paths that it is about, as the critic saw them; may be empty. */
  genes: string[];
  /** Ids of the trials it was drawn from. */
  evidence: string[];
  lineage: string;
  generation: number;
};

/**
 * How children fared that were bred with the lesson in the prompt: `gain` sums child − parent estimates
 * (differences to the baseline, in score points of 1). A lesson that does harm is `retired`.
 */
export type LessonRecord = { bred: number; gain: number; retired: boolean };
