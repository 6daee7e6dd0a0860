import type { MetricName } from '../suite/suite.ts';
import { loadDrafts } from './skills.ts';

/** What a task calls its columns, and how it is scored. */
export type Blanks = { idColumn: string; targetColumn: string; metric: MetricName };

/**
 * The text of a file with its placeholders replaced: `METRIC_FUNCTION` by the metric's own function (named
 * `score`), `METRIC` by the metric's name, `ID_COLUMN` and `TARGET_COLUMN` by the column names as string contents.
 */
export function fillIn(code: string, { idColumn, targetColumn, metric }: Blanks): string {
  return code
    .replaceAll('// METRIC_FUNCTION', () => metricFunction(metric))
    .replace(/\bMETRIC\b/g, () => metric)
    .replace(/\bID_COLUMN\b/g, () => inString(idColumn))
    .replace(/\bTARGET_COLUMN\b/g, () => inString(targetColumn));
}

/** The function of drafts/metrics.mjs that computes a metric, as text, under the name `score`. */
function metricFunction(metric: MetricName): string {
  const name = metric.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const source = loadDrafts()['metrics.mjs']!;
  const found = new RegExp(`export function ${name}\\((.*?\\n)\\}\\n`, 's').exec(source);
  if (!found) throw new Error(`no function for the metric ${metric}`);
  return `function score(${found[1]}}`;
}

/** A name as it stands between quotes in code (either kind, or backticks). */
const inString = (name: string): string => name.replace(/[\\'"`]/g, '\\$&').replaceAll('${', '\\${');
