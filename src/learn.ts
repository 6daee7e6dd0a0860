import { settingOf } from './agent/prompt.ts';
import type { Trajectory } from './agent/trajectory.ts';
import type { Event, RunIdentity } from './event.ts';
import { genePaths } from './genome/genes.ts';
import type { Genome } from './genome/genome.ts';
import type { Advisor } from './llm/advisor.ts';
import { type Case, criticize, isKnown } from './memory/criticize.ts';
import type { Lesson } from './memory/lesson.ts';
import { recall } from './memory/recall.ts';
import { excerpt } from './prompts/excerpt.ts';
import { seedAt } from './rng.ts';
import type { Round } from './selection/barrier.ts';
import { block, pairs } from './selection/measure.ts';
import { referenceOf, strategyOf, uses } from './selection/strategy.ts';
import type { State } from './state.ts';
import type { Task } from './suite/suite.ts';
import { together } from './together.ts';

/** What learning needs of the world. */
export type LearnParts = {
  identity: RunIdentity;
  state: State;
  genomes: { load(id: string): Genome | Promise<Genome> };
  /** The model that criticises. */
  critic: Advisor;
  readTrajectory(trial: string): Promise<Trajectory | null>;
  record(event: Event): void;
};

/** How many cases a generation gives to the critic: so many shortfalls, and so many wins. */
const SHORTFALLS = 2;
const WINS = 1;
/** How many lessons a critic is told of that are written already. */
const KNOWN = 10;

type Trial = { candidate: string; task: Task; difference: number };

/**
 * Lets the critic write lessons from a generation: its trials furthest below the reference on the same seed, and the
 * one furthest above, each of another candidate; in a chain, which has one, each on another task. Lessons that are known are not journalled again, which makes this
 * safe to repeat after a cut.
 */
export async function learn(parts: LearnParts, round: Round): Promise<void> {
  const { identity, state } = parts;
  if (!uses(identity, 'memory')) return;
  const cases = await Promise.all(chooseCases(parts, round).map((trial) => openCase(parts, round, trial)));
  const lessons = await together(
    cases.map(async (it, i) =>
      it
        ? await criticize({
            critic: parts.critic,
            seed: seedAt(identity.seed, 'criticize', round.generation, i),
            it,
            known: writtenBefore(state, round, it),
          })
        : [],
    ),
  );
  for (const lesson of lessons.flat()) {
    if (!isKnown(lesson, state.lessons))
      parts.record({ type: 'lesson', generation: round.generation, lesson });
  }
}

/** The lessons that speak of a case, as of the last barrier: after a cut some of this generation's are known already. */
function writtenBefore({ lessons, lessonRecords }: State, { generation }: Round, { own }: Case): Lesson[] {
  const older = new Map([...lessons].filter(([, lesson]) => lesson.generation < generation));
  return recall(older, lessonRecords, excerpt(own.trajectory), KNOWN);
}

/** In slot order within equals: survivors first, then new candidates. */
function chooseCases(parts: LearnParts, { generation, bred, tasks }: Round): Trial[] {
  const { state } = parts;
  const reference = referenceOf(parts);
  const measured = [...state.survivors, ...bred.map(({ id }) => id)].filter((id) => id !== reference);
  const trials = measured.flatMap((candidate) =>
    tasks.flatMap((task): Trial[] => {
      const found = pairs(parts, candidate, [task], generation, reference);
      return found.map(({ difference }) => ({ candidate, task, difference }));
    }),
  );
  const chain = strategyOf(parts.identity) === 'chain';
  const alike = (a: Trial, b: Trial) => (chain ? a.task === b.task : a.candidate === b.candidate);
  const chosen: Trial[] = [];
  const take = (count: number, sign: 1 | -1) => {
    for (const trial of [...trials].sort((a, b) => sign * (b.difference - a.difference))) {
      if (count === 0) return;
      if (sign * trial.difference <= 0 || chosen.some((other) => alike(other, trial))) continue;
      chosen.push(trial);
      count--;
    }
  };
  take(SHORTFALLS, -1);
  take(WINS, 1);
  return chosen;
}

async function openCase(parts: LearnParts, { generation }: Round, trial: Trial): Promise<Case | null> {
  const { state } = parts;
  const [own] = block(parts, trial.candidate, [trial.task], generation);
  const against = referenceOf(parts);
  const [reference] = block(parts, against, [trial.task], generation);
  const [trajectory, other] = await Promise.all([own!, reference!].map(({ id }) => parts.readTrajectory(id)));
  const [pair] = pairs(parts, trial.candidate, [trial.task], generation, against);
  if (!trajectory || !pair) return null;
  const genome = await parts.genomes.load(trial.candidate);
  return {
    lineage: state.candidates.get(trial.candidate)!.lineage,
    generation,
    task: { id: trial.task.id, family: trial.task.family },
    setting: settingOf(trial.task),
    genes: genePaths(genome),
    genome,
    own: { trial: own!.id, score: pair.score, trajectory, outcome: state.outcomes.get(own!.id)! },
    reference: {
      trial: reference!.id,
      score: pair.score - pair.difference,
      trajectory: other ?? null,
      ...(against === state.baseline ? {} : { harness: 'the harness it was bred from' }),
    },
  };
}
