import { count, span } from './format.ts';
import type { ModelsReport } from './models.ts';

/** The calls of a run in one line: how many, how many failed, what is counted at the most, pauses. */
export function callsText({ spending, pauses }: ModelsReport): string {
  if (!spending) return 'no endpoint was asked';
  const { calls, failed, atMost, by } = spending;
  const parts = [
    `${count(calls)} calls (${count(by.mutator.calls + by.critic.calls)} of mutator and critic)`,
  ];
  if (failed > 0) parts.push(`${count(failed)} failed`);
  if (atMost.calls > 0) {
    parts.push(
      `$${atMost.usd.toFixed(2)} counted at the most, as ${count(atMost.calls)} did not say what they used`,
    );
  }
  if (pauses.count > 0) parts.push(`paused ${pauses.count} times, ${span(pauses.ms)}`);
  return parts.join(', ');
}

/** How well the mutator foresaw what its edits would do; empty where it foresaw nothing. */
export function foresightText({ foresight: { checked, hits, others, improved } }: ModelsReport): string {
  if (checked === 0) return '';
  const share = (part: number, all: number) => `${part} of ${all} (${Math.round((100 * part) / all)}%)`;
  const chance = others > 0 ? `; of those it did not name, ${share(improved, others)} did` : '';
  return `Of the tasks that the mutator expected to improve, ${share(hits, checked)} did${chance}.`;
}
