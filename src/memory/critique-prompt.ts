import type { Message } from '../llm/llm.ts';
import type { Case } from './criticize.ts';
import { excerpt } from './excerpt.ts';

const ROLE = `You criticise the work of an agent.

The agent solves small machine-learning competitions in a working folder, with tools. A harness decides how it
works: sampling parameters, rules that are put before it, skills that it can read, notes, a loop guard, limits.
You read what it did on one task, find what cost it score or what won it score, and write lessons that help to
improve the harness for other tasks as well.

Answer with one JSON object and nothing else:

{"lessons": [{"symptom": "what could be seen", "cause": "why it happened", "advice": "what a harness should do about it", "genes": ["rules", "sampling.temperature"]}]}

- One or two lessons; none, {"lessons": []}, if nothing can be learnt.
- A lesson is general: no file contents, no names of tasks or columns, nothing that holds for this task alone.
- The advice says what to do, not only what to avoid. Plain English, one or two sentences a field.
- "genes": the parts of the harness that the advice is about, of those listed; may be empty.`;

/** The messages that ask for lessons from a case. */
export function critique(it: Case): Message[] {
  const { own, reference, task } = it;
  return [
    { role: 'system', content: ROLE },
    {
      role: 'user',
      content: [
        `# Task ${task.id} (${task.family})`,
        `The agent under this harness scored ${points(own.score)}; under the baseline harness, with the same seed, ${points(reference.score)} (share of the leaderboard beaten, in points of 100).`,
        `## What the agent did\n\n${excerpt(own.trajectory)}`,
        ...(reference.trajectory
          ? [`## What it did under the baseline harness\n\n${excerpt(reference.trajectory)}`]
          : []),
        `## Genes of the harness\n\n${it.genes.join(', ')}`,
      ].join('\n\n'),
    },
  ];
}

function points(score: number): string {
  return (100 * score).toFixed(1);
}
