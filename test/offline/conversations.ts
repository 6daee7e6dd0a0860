import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAgent } from '../../src/agent/run-agent.ts';
import type { JobOutcome } from '../../src/jobs/job.ts';
import type { ChatRequest } from '../../src/llm/llm.ts';
import { offlineLlm } from '../../src/offline/offline-llm.ts';
import { excerpt } from '../../src/prompts/excerpt.ts';
import { critiquePrompt, mutationPrompt } from '../../src/prompts/prompts.ts';
import type { Task } from '../../src/suite/suite.ts';
import { plainGenome } from '../fixtures/genomes.ts';
import { TASK_DEFAULTS, taskLimits } from '../fixtures/task-defaults.ts';

/**
 * Requests as the engine makes them: every call of a trial (its trainings crash once, then score), one of the mutator
 * and one of the critic, over what that trial did.
 */
export async function realRequests(): Promise<Record<'agent' | 'mutator' | 'critic', ChatRequest[]>> {
  const dir = mkdtempSync(join(tmpdir(), 'evolve-conversations-'));
  try {
    const agent: ChatRequest[] = [];
    const ask = offlineLlm();
    const genome = plainGenome();
    let trained = 0;
    for (const name of ['public', 'trial', 'scratch']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'public/sample_submission.csv'), 'id,price\n3,0\n');
    writeFileSync(join(dir, 'public/train.csv'), 'id,größe 📏,price\n1,2,3\n2,3,4\n');
    const { trajectory } = await runAgent(genome, taskIn(join(dir, 'public')), {
      llm: (request) => {
        agent.push(structuredClone(request));
        return ask(request);
      },
      model: 'offline',
      seed: 3,
      folder: join(dir, 'trial'),
      scratch: join(dir, 'scratch'),
      job: async (spec) => {
        writeFileSync(join(spec.folder, 'submission.csv'), 'id,price\n3,5\n');
        return { identity: `job-${trained}`, outcome: jobOutcome(trained++) };
      },
    });
    const trace = { title: 'prices, score 20.0', ending: '', text: excerpt(trajectory) };
    const mutator = mutationPrompt({
      standing: 'It stands +1.0 points of 100 above the baseline, as far as is known.',
      genes: GENES,
      scorecard: SCORECARD,
      lessons: '',
      attempted: '- rules.slow: none → always: Go slowly.: −2.0 points against its parent (slow is sure)',
      predictions: '',
      bodies: '',
      failures: [trace],
      successes: [],
      focus: '',
    });
    const critic = critiquePrompt({
      harness: 'the baseline harness',
      task: 'prices (tabular-regression)',
      scores:
        'The agent under this harness scored 20.0; under the baseline harness, with the same seed, 30.0.',
      excerpt: trace.text,
      whole: trace.text,
      referenceExcerpt: '',
      referenceWhole: '',
      outcome: '',
      rules: '',
      genes: 'sampling.temperature, rules.work-in-steps',
      known: '',
    });
    return {
      agent,
      mutator: [{ model: 'offline', messages: mutator, temperature: 1, seed: 5 }],
      critic: [{ model: 'offline', messages: critic, temperature: 1, seed: 6 }],
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const GENES = `path | type and bounds | value | what it is
sampling.temperature | number, 0 to 2 | 1 | How freely the model samples
memory.keep_failures | true or false | false | Whether notes of failed attempts are kept
loop.action | off, warn, switch, stop | "off" | What happens when the agent repeats itself
rules.work-in-steps | rule | {"when":"always","text":"Work step by step."} | What the agent is told`;

const SCORECARD = `task | family | this harness | baseline | difference | trials
prices | tabular-regression | 20.0 | 30.0 | −10.0 | 2`;

/** The first training crashes, the others give ever better scores. */
function jobOutcome(n: number): JobOutcome {
  if (n > 0) return { kind: 'done', outputs: ['submission.csv'], log: `validation rmse: ${1 / n}\n`, ms: 1 };
  const log =
    'file:///work/model.mjs:4\nconst mean = (values) => Math.mean(values);\n\nTypeError: Math.mean is not a function\n';
  return { kind: 'failed', exitCode: 1, log, ms: 1 };
}

/** A small regression whose public files stand in that folder. */
export function taskIn(publicDir: string): Task {
  return {
    id: 'prices',
    role: 'search',
    family: 'tabular-regression',
    distance: null,
    metric: 'rmse',
    direction: 'min',
    idColumn: 'id',
    targetColumns: ['price'],
    limits: taskLimits(5),
    ...TASK_DEFAULTS,
    publicDir,
    publicHash: 'x',
    description: DESCRIPTION,
  };
}

/** A task as a suite words it. */
export const DESCRIPTION =
  '# Prices\n\nA table of numbers.\n\nMetric: rmse (lower is better)\n\nId column: id\nTarget column: price\n';
