import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { formatColumns } from './csv.mjs';
import { directionOf } from './describe.mjs';
import { makeScorer } from './methods.mjs';
import { makeData } from './tables.mjs';
import { TASKS } from './tasks.mjs';
import { zooOf } from './zoo.mjs';

/** MLE-bench's form has a date; a leaderboard that is computed has none of its own. */
const DATE = '2026-01-01 00:00:00';

/**
 * Scores the zoo on the answers of a task.
 * @returns {Promise<{ tier: string, name: string, score: number }[]>} best first
 */
export async function rank(task, seed) {
  const scorer = await makeScorer(task, makeData(task, seed));
  const rows = zooOf(task.family).map(({ tier, name, method }) => ({
    tier,
    name,
    score: scorer.score(method),
  }));
  const sign = directionOf(task.metric) === 'max' ? -1 : 1;
  return rows.sort((a, b) => sign * (a.score - b.score) || (a.name < b.name ? -1 : 1));
}

/** A leaderboard in MLE-bench's form; the team is the method. */
export function formatLeaderboard(rows) {
  // In full: a submission that ties with a row must tie, and not fall below by rounding.
  const scores = rows.map((row) => String(row.score));
  return formatColumns({
    scoreNullable: scores,
    teamId: rows.map((row) => row.name),
    hasTeamName: rows.map(() => 'True'),
    submissionDate: rows.map(() => DATE),
    score: scores,
    hasScore: rows.map(() => 'True'),
  });
}

// As a thread of build-suite.mjs: a task's id comes in, its leaderboard is written, and the next one is asked for.
parentPort?.on('message', async (id) => {
  if (id === null) process.exit(0);
  const task = TASKS.find((one) => one.id === id);
  const rows = await rank(task, workerData.seed);
  writeFileSync(join(workerData.out, 'tasks', id, 'leaderboard.csv'), formatLeaderboard(rows));
  parentPort.postMessage(id);
});
