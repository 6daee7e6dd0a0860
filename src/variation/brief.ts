import type { Foresight, PredictionCheck } from '../event.ts';
import { RULE_GENES, SCALAR_GENES, type ScalarGene, SKILL_GENES } from '../genome/gene-table.ts';
import { getGene } from '../genome/genes.ts';
import type { Genome } from '../genome/genome.ts';
import type { Message } from '../llm/llm.ts';
import type { Lesson, LessonRecord } from '../memory/lesson.ts';
import { ending } from '../prompts/ending.ts';
import { points, signedPoints } from '../prompts/points.ts';
import { type MutationText, mutationPrompt, POINTS, type Trace } from '../prompts/prompts.ts';
import { type Opening, wholeTrace } from '../prompts/trace.ts';
import type { Evidence, Shown } from './evidence.ts';

/** An edit that was tried before: what changed, and what came of it in points of 1 (null: dropped early). */
export type Attempted = {
  changes: string[];
  hypothesis: string;
  gain: number | null;
  /** What became of the tasks that it should have improved; left out where none were named. */
  check?: PredictionCheck;
};

/** What a mutator is told, as data. */
export type Brief = {
  /** What trials on the search tasks open with, where it is not the usual. */
  setting?: string | undefined;
  genome: Genome;
  /** What is believed of it: points of 1 above the baseline. */
  gain: number;
  evidence: Evidence;
  lessons: readonly Lesson[];
  lessonRecords: ReadonlyMap<string, LessonRecord>;
  attempted: readonly Attempted[];
  foresight: Foresight;
  /** Genes that nothing changes: they are not shown. */
  frozen: readonly string[];
  /** Where this mutator is told to look first. */
  focus: string;
};

/** Characters of a skill's body in the table of genes, and of an earlier hypothesis. */
const SHOWN = 300;
/** Characters of all skills that are shown in full, and the share of the room that they may take. */
const BODIES = 30_000;
const BODIES_SHARE = 0.3;
/** Characters of one trace, and fewest that say more than nothing. */
const TRACE = 12_000;
const LEAST = 500;
/** The heading of a section. */
const HEADING = 40;
/** What stands before a trace: the genome is known already, the task is not. */
const OPENING: Opening = { system: 0, user: 1500 };

/**
 * The messages that ask for an edit, of about `room` characters at most: what is short is always there, then come
 * skills in full, then the traces, which share what is left.
 */
export function briefMutator(brief: Brief, room: number): Message[] {
  const { evidence, genome } = brief;
  const text: MutationText = {
    setting: brief.setting,
    standing: `It stands ${signedPoints(brief.gain)} points of 100 above the baseline, as far as is known. ${POINTS}`,
    genes: geneTable(genome, brief.frozen),
    scorecard: scorecard(evidence),
    lessons: brief.lessons.map((lesson) => lessonLine(lesson, brief.lessonRecords)).join('\n'),
    attempted: brief.attempted.map(attemptedLine).join('\n'),
    predictions: predictions(brief),
    bodies: '',
    failures: [],
    successes: [],
    focus: brief.focus,
  };
  const withTraces = (each: number): MutationText => ({
    ...text,
    failures: evidence.failures.map((trial) => trace(trial, each)),
    successes: evidence.successes.map((trial) => trace(trial, each)),
  });
  // As long as with the shortest of traces, so that titles, endings and tags are counted.
  const left = room - lengthOf(mutationPrompt(withTraces(1)));
  text.bodies = bodies(genome, Math.min(BODIES, left * BODIES_SHARE));
  const traces = evidence.failures.length + evidence.successes.length;
  const each = Math.min(TRACE, Math.floor((left - text.bodies.length - HEADING) / Math.max(1, traces)));
  return mutationPrompt(each < LEAST ? text : withTraces(each));
}

/** The size of a conversation in characters. */
export function lengthOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
}

/** A line a gene: path | type and bounds | value | what it is. */
export function geneTable(genome: Genome, frozen: readonly string[] = []): string {
  const scalars = SCALAR_GENES.filter(({ path }) => !frozen.includes(path)).map(
    (gene) =>
      `${gene.path} | ${bounds(gene)} | ${JSON.stringify(getGene(genome, gene.path))} | ${gene.about}`,
  );
  const rules = Object.entries(genome.rules).map(
    ([id, rule]) => `rules.${id} | rule | ${JSON.stringify(rule)} | ${RULE_GENES.about}`,
  );
  const skills = Object.entries(genome.skills).map(
    ([name, { description, body }]) =>
      `skills.${name} | skill | ${JSON.stringify({ description, body: shorten(body) })} | ${SKILL_GENES.about}`,
  );
  return ['path | type and bounds | value | what it is', ...scalars, ...rules, ...skills].join('\n');
}

function bounds(gene: ScalarGene): string {
  if (gene.type === 'boolean') return 'true or false';
  if (gene.type === 'enum') return gene.values.join(', ');
  return `${gene.type}, ${gene.min} to ${gene.max}`;
}

function scorecard({ scorecard }: Evidence): string {
  if (scorecard.length === 0) return '';
  const lines = scorecard.map(({ task, own, baseline, trials }) =>
    [task.id, task.family, points(own), ...besides(own, baseline), trials].join(' | '),
  );
  return ['task | family | this harness | baseline | difference | trials', ...lines].join('\n');
}

function besides(own: number, baseline: number | null): string[] {
  return baseline === null ? ['not run', '-'] : [points(baseline), signedPoints(own - baseline)];
}

/** The skills that the table cuts short, shortest first, as many as fit: a skill is rewritten whole or not at all. */
function bodies(genome: Genome, room: number): string {
  const cut = Object.entries(genome.skills).filter(([, { body }]) => body !== shorten(body));
  const order = cut.sort(([, a], [, b]) => a.body.length - b.body.length);
  const fitting: string[] = [];
  let left = room;
  for (const [name, { body }] of order) {
    const whole = `### skills.${name}\n\n${body}`;
    left -= whole.length + 2;
    if (left < 0) break;
    fitting.push(whole);
  }
  if (fitting.length === 0) return '';
  const hidden = order.slice(fitting.length).map(([name]) => `skills.${name}`);
  if (hidden.length > 0) fitting.push(`Not shown, for want of room: ${hidden.join(', ')}.`);
  return fitting.join('\n\n');
}

function trace({ task, score, baseline, outcome, trajectory }: Shown, limit: number): Trace {
  return {
    title: `${task}, score ${points(score)}${baseline === null ? '' : `, baseline ${points(baseline)}`}`,
    ending: ending(outcome),
    text: wholeTrace(trajectory, limit, OPENING),
  };
}

function lessonLine(lesson: Lesson, records: ReadonlyMap<string, LessonRecord>): string {
  const record = records.get(lesson.id);
  const fared =
    record && record.bred > 0
      ? `bred ${record.bred}, mean ${signedPoints(record.gain / record.bred)} points`
      : 'not tried yet';
  return `- Symptom: ${lesson.symptom} Cause: ${lesson.cause} Advice: ${lesson.advice} Genes: ${lesson.genes.join(', ') || 'none'} (${fared})`;
}

function attemptedLine({ changes, hypothesis, gain }: Attempted): string {
  const fared = gain === null ? 'clearly behind, dropped' : `${signedPoints(gain)} points against its parent`;
  return `- ${changes.join('; ')}: ${fared}${hypothesis === '' ? '' : ` (${shorten(hypothesis)})`}`;
}

/** How good the mutators' bets were so far, over all lineages, and those on this lineage one by one. */
function predictions({ attempted, foresight }: Brief): string {
  const { checked, hits, others, improved } = foresight;
  if (checked === 0) return '';
  const elsewhere =
    others === 0
      ? ''
      : ` Of ${others} that were not named, ${improved} did as well (${share(improved, others)}).`;
  const lines = attempted.flatMap(({ changes, check }) => (check ? [checkLine(changes, check)] : []));
  return [
    `Over all lineages together: of ${checked} tasks that were expected to improve, ${hits} did (${share(hits, checked)}).${elsewhere} Bets are worth something where the first share is clearly above the second.`,
    ...(lines.length === 0 ? [] : ['On this lineage, edit by edit:', ...lines]),
  ].join('\n');
}

function checkLine(changes: readonly string[], { hit, missed, unknown, others }: PredictionCheck): string {
  const said = [
    ['improved as expected', hit],
    ['did not', missed],
    ['could not be compared', unknown],
  ] as const;
  const parts = said.flatMap(([what, tasks]) => (tasks.length > 0 ? [`${tasks.join(', ')} ${what}`] : []));
  const rest = others.checked === 0 ? '' : `; of the others ${others.improved} of ${others.checked} improved`;
  return `- ${changes.map((change) => change.split(': ', 1)[0]).join(', ')}: ${parts.join('; ')}${rest}`;
}

function share(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)}%`;
}

function shorten(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}[…]`;
}
