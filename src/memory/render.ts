import { oneLine } from '../prompts/one-line.ts';
import { signedPoints } from '../prompts/points.ts';
import type { Lesson, LessonRecord } from './lesson.ts';

/**
 * The shared memory as Markdown, for people: lessons with the best record first, retired ones last. Takes the
 * state, or the two maps of it.
 */
export function renderMemory(memory: {
  lessons: ReadonlyMap<string, Lesson>;
  lessonRecords: ReadonlyMap<string, LessonRecord>;
}): string {
  const entries = [...memory.lessons.values()].map((lesson) => ({
    lesson,
    record: memory.lessonRecords.get(lesson.id) ?? { bred: 0, gain: 0, retired: false },
  }));
  const order = entries.sort(
    (a, b) =>
      Number(a.record.retired) - Number(b.record.retired) ||
      b.record.gain - a.record.gain ||
      (a.lesson.id < b.lesson.id ? -1 : 1),
  );
  const intro = `# Lessons\n\nWritten by a critic from trials on search tasks, and read by the mutators of all lineages.\n`;
  if (order.length === 0) return `${intro}\nNone yet.\n`;
  return `${intro}\n${order.map(({ lesson, record }) => section(lesson, record)).join('\n')}`;
}

function section(lesson: Lesson, record: LessonRecord): string {
  const mean = record.bred === 0 ? null : record.gain / record.bred;
  const fared =
    mean === null
      ? 'No child was bred with it yet.'
      : `${record.bred} bred with it, on average ${signedPoints(mean)} points against their parents.`;
  return [
    `## ${lesson.id}${record.retired ? ' (retired)' : ''}`,
    '',
    `- Symptom: ${oneLine(lesson.symptom)}`,
    `- Cause: ${oneLine(lesson.cause)}`,
    `- Advice: ${oneLine(lesson.advice)}`,
    `- Genes: ${lesson.genes.length === 0 ? 'none named' : lesson.genes.join(', ')}`,
    `- From lineage ${lesson.lineage}, generation ${lesson.generation}, trials ${lesson.evidence.join(', ')}`,
    `- ${fared}`,
    '',
  ].join('\n');
}
