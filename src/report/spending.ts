import { count, counted, money, span } from './format.ts';
import type { ModelsReport } from './models.ts';

/** The calls of a run in one line: how many, how many failed, what is counted at the most, pauses. */
export function callsText({ spending, pauses }: ModelsReport): string {
  if (!spending) return 'no endpoint was asked';
  const { calls, failed, atMost, by } = spending;
  const share = (of: keyof typeof by) => `${of} ${count(by[of].calls)} for ${money(by[of].usd)}`;
  const parts = [`${counted(calls, 'call')} (${share('agent')}, ${share('mutator')}, ${share('critic')})`];
  if (failed > 0) parts.push(`${count(failed)} failed`);
  if (atMost.calls > 0) {
    const silent = `${count(atMost.calls)} that did not say what they used`;
    parts.push(`${money(atMost.usd)} of it is the most that ${silent} can have cost`);
  }
  if (pauses.count > 0)
    parts.push(`paused ${pauses.count === 1 ? 'once' : `${pauses.count} times`}, ${span(pauses.ms)}`);
  return parts.join(', ');
}

/** How well the mutator foresaw what its edits would do; empty where it foresaw nothing. */
export function foresightText({ foresight: { checked, hits, others, improved } }: ModelsReport): string {
  if (checked === 0) return '';
  const share = (part: number, all: number) => `${part} of ${all} (${Math.round((100 * part) / all)}%)`;
  const chance = others > 0 ? `; of those it did not name, ${share(improved, others)} did` : '';
  return `Of the tasks that the mutator expected to improve, ${share(hits, checked)} did${chance}.`;
}
