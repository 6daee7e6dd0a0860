import type { Result, Stop } from '../event.ts';
import { headline } from '../report/headline.ts';
import { stopLine, summary } from '../report/terminal.ts';
import { shellWord } from '../shell-word.ts';
import type { Suite } from '../suite/suite.ts';
import { type Context, EXIT, type Output } from './context.ts';
import type { Halt } from './models.ts';
import { readReport } from './read-report.ts';
import { wantsColour, writeReport } from './report.ts';
import { type Limited, waysOn } from './ways-on.ts';

/** Writes the report and says how it went; gives the exit code. */
export async function conclude(
  dir: string,
  result: Result,
  suite: Suite,
  output: Output,
  context: Context,
  { halt = null, ahead }: { halt?: Halt | null; ahead?: Pick<Limited, 'config' | 'plan'> } = {},
): Promise<number> {
  const { report, state } = await readReport(dir, suite.tasks, result);
  const { stop } = result;
  await writeReport(dir, report);
  if (output.json) context.print(JSON.stringify(headline(report), null, 2));
  else context.print(summary(report, wantsColour()));
  if (stop !== 'finished' && (mustBeMended(stop) || !output.quiet)) {
    const limited = ahead && exitOf(stop) === EXIT.limit;
    const on = limited ? '' : `; \`evolve resume ${shellWord(report.run)}\` goes on`;
    context.note(`evolve: ${stopLine(report)}${halt ? ` (${halt.reason})` : ''}${on}`);
    if (halt?.hint) context.note(`evolve: ${halt.hint}`);
    for (const line of limited ? waysOn({ ...ahead, report, state, suite }) : [])
      context.note(line.startsWith(' ') ? line : `evolve: ${line}`);
  }
  return exitOf(stop);
}

/** The exit code of a run that ended so. */
export function exitOf(stop: Stop): number {
  if (stop === 'interrupted') return EXIT.interrupted;
  if (mustBeMended(stop)) return EXIT.inconclusive;
  return stop === 'finished' ? EXIT.finished : EXIT.limit;
}

/** Whether something is to be mended before the run can go on: people hear of that even where they want no progress. */
export function mustBeMended(stop: Stop): boolean {
  return stop === 'refused' || stop === 'infrastructure';
}
