import { RULE_GENES, SCALAR_GENES, type ScalarGene, SKILL_GENES } from '../genome/gene-table.ts';
import { getGene } from '../genome/genes.ts';
import type { Genome } from '../genome/genome.ts';
import type { Message } from '../llm/llm.ts';
import type { Lesson, LessonRecord } from '../memory/lesson.ts';
import type { Evidence, Shown } from './evidence.ts';

/** An edit that was tried before: what changed, and what came of it in points of 100 (null: dropped early). */
export type Attempted = { changes: string[]; hypothesis: string; gain: number | null };

/** What the mutator is told. */
export type Brief = {
  genome: Genome;
  /** What is believed of it: points of 100 above the baseline. */
  gain: number;
  evidence: Evidence;
  lessons: readonly Lesson[];
  lessonRecords: ReadonlyMap<string, LessonRecord>;
  attempted: readonly Attempted[];
};

/** Most edits in one reply. */
export const MAX_EDITS = 4;
/** Characters of a skill's body that are shown; the mutator may replace the whole, not a part. */
const SKILL_SHOWN = 300;

const ROLE = `You improve the harness of an agent.

The agent is a frozen model that solves small machine-learning competitions in a working folder, with tools. The
harness is all that stands around the model: sampling parameters, rules that are put before it when a trigger
fires, skills that it can read, notes of earlier attempts, a loop guard, tools and limits. Each part is a gene with
a path. You read how the agent fared and propose one small change with one idea behind it, which makes it do
better on tasks of this kind, seen or unseen. Deterministic code then measures whether you were right.

Answer with one JSON object and nothing else:

{"hypothesis": "what goes wrong now, and why this change mends it", "expects": ["ids of tasks that should improve"], "edits": [{"op": "set", "path": "rules.some-id", "value": {"when": "always", "text": "what the agent is told"}}, {"op": "set", "path": "sampling.temperature", "value": 0.7}, {"op": "remove", "path": "rules.another-id"}]}

- 1 to ${MAX_EDITS} edits. Paths are those of the table; a new rule or skill takes a new name of a-z, 0-9 and hyphens.
- "set" gives the whole value. A rule is {"when": trigger, "text": English}; triggers: ${RULE_GENES.triggers.join(', ')}. A skill is {"description": English, "body": Markdown}. Only rules and skills can be removed.
- Numbers stay within their bounds.
- A rule speaks to the agent, in a few plain sentences about what to do and when. It names no task and no column, as it must help where nobody has looked.
- Do not repeat an edit that did harm.`;

/** The messages that ask for an edit. */
export function mutationPrompt(brief: Brief): Message[] {
  const { evidence } = brief;
  const parts = [
    `# The harness\n\nIt stands ${signed(100 * brief.gain)} points of 100 above the baseline, as far as is known.`,
    `## Genes\n\n${geneTable(brief.genome)}`,
    ...(evidence.scorecard.length > 0 ? [`## Scorecard\n\n${scorecard(evidence)}`] : []),
    ...evidence.failures.map((shown) => `## Where it did badly: ${trialTitle(shown)}\n\n${shown.text}`),
    ...evidence.successes.map((shown) => `## Where it did well: ${trialTitle(shown)}\n\n${shown.text}`),
    ...(brief.lessons.length > 0
      ? [`## Lessons\n\n${brief.lessons.map((lesson) => lessonLine(lesson, brief.lessonRecords)).join('\n')}`]
      : []),
    ...(brief.attempted.length > 0
      ? [`## Edits tried before\n\n${brief.attempted.map(attemptedLine).join('\n')}`]
      : []),
    '## Your answer\n\nOne JSON object as described.',
  ];
  return [
    { role: 'system', content: ROLE },
    { role: 'user', content: parts.join('\n\n') },
  ];
}

/** What is said to a mutator whose reply was no valid edit; appended to its conversation. */
export function repairPrompt(reply: string, problems: readonly string[]): Message[] {
  return [
    { role: 'assistant', content: reply },
    {
      role: 'user',
      content: `That cannot be used:\n\n${problems.map((problem) => `- ${problem}`).join('\n')}\n\nAnswer again with the whole corrected JSON object and nothing else.`,
    },
  ];
}

/** A line a gene: path | type and bounds | value | what it is. */
export function geneTable(genome: Genome): string {
  const scalars = SCALAR_GENES.map(
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
  const lines = scorecard.map(({ task, own, baseline, trials }) =>
    [task.id, task.family, points(own), points(baseline), signed(100 * (own - baseline)), trials].join(' | '),
  );
  return ['task | family | this harness | baseline | difference | trials', ...lines].join('\n');
}

function trialTitle({ task, score }: Shown): string {
  return `${task}, score ${points(score)}`;
}

function lessonLine(lesson: Lesson, records: ReadonlyMap<string, LessonRecord>): string {
  const record = records.get(lesson.id);
  const fared =
    record && record.bred > 0
      ? `bred ${record.bred}, mean ${signed((100 * record.gain) / record.bred)} points`
      : 'not tried yet';
  return `- Symptom: ${lesson.symptom} Cause: ${lesson.cause} Advice: ${lesson.advice} Genes: ${lesson.genes.join(', ') || 'none'} (${fared})`;
}

function attemptedLine({ changes, hypothesis, gain }: Attempted): string {
  const fared = gain === null ? 'clearly behind, dropped' : `${signed(100 * gain)} points against its parent`;
  return `- ${changes.join('; ')}: ${fared}${hypothesis === '' ? '' : ` (${shorten(hypothesis)})`}`;
}

function points(score: number): string {
  return (100 * score).toFixed(1);
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
}

function shorten(text: string): string {
  return text.length <= SKILL_SHOWN ? text : `${text.slice(0, SKILL_SHOWN)}[…]`;
}
