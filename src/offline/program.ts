import type { MetricName } from '../suite/suite.ts';
import { LADDERS, type Slip } from './knowledge.ts';
import type { Call } from './policy.ts';
import { remembering } from './remembering.ts';
import { codeOf, loadDrafts } from './skills.ts';
import { FILES, type FileName, type View } from './view.ts';
import { fillIn } from './write-code.ts';

/** The hand of the model: code from drafts and skills, and edits to it. */

/** The forms of a file that are known by heart: name → code. */
export const draftOf = remembering(10, (file: FileName): readonly [string, string][] => {
  const stem = file.replace('.mjs', '');
  return Object.entries(loadDrafts()).filter(([name]) => name === file || name.startsWith(`${stem}-`));
});

/** The file that a skill's description says it writes; null if none. */
export function fileOf(description: string): FileName | null {
  return FILES.find((file) => description.includes(`Write ${file}`)) ?? null;
}

/** The code in a skill's text as it was read. */
export function codeIn(body: string): string | null {
  return codeOf(body);
}

/**
 * The file's text for this task: placeholders filled in, and a first line that says what it is, with the setting
 * and its ladder where it has one (`// model: random-forest trees=8 of 3 8 20 50`).
 */
export function configured(view: View, name: string, code: string): string {
  const plain = name.replace(/^(model|features)-/, '');
  const { idColumn, targetColumn, metric } = view;
  return written(code)(plain, ladderOf(view, plain).join(' '), idColumn, targetColumn, metric);
}

const written = remembering(200, (code: string) =>
  remembering(20, (plain: string, ladder: string, idColumn: string, targetColumn: string, metric: string) => {
    const filled = fillIn(code, { idColumn, targetColumn, metric: metric as MetricName });
    const kind = /^\/\/ (\w+):/.exec(filled)?.[1] ?? 'file';
    const setting = /SETTINGS = \{ (\w+): ([\d.]+) \}/.exec(filled);
    const tail = setting && ladder !== '' ? ` ${setting[1]}=${setting[2]} of ${ladder}` : '';
    return filled.replace(/^.*\n/, `// ${kind}: ${plain}${tail}\n`);
  }),
);

/** What a file of the folder is now, by its first line: `random-forest trees=8 of 3 8 20 50`. */
export function currentOf(view: View, file: FileName): string | null {
  return /^\/\/ \w+: (.*)$/.exec(view.heads.get(file) ?? '')?.[1] ?? null;
}

/** The calls that move the model's setting one step along its ladder; null at the end of it. */
export function ladderStep(
  view: View,
  step: 1 | -1,
): { calls: Call[]; model: string; setting: string } | null {
  const head = view.heads.get('model.mjs') ?? '';
  const found = /^\/\/ model: (\S+) (\w+)=([\d.]+) of ([\d. ]+)$/.exec(head);
  if (!found) return null;
  const [, model, key, value, rungs] = found as unknown as [string, string, string, string, string];
  const ladder = rungs.split(' ');
  const next = ladder[ladder.indexOf(value) + step];
  if (next === undefined) return null;
  const setting = `${key}=${next}`;
  const edit = (old: string, now: string): Call => ({
    name: 'edit_file',
    args: { path: 'model.mjs', old, new: now },
  });
  return {
    model,
    setting,
    calls: [
      edit(head, head.replace(`${key}=${value}`, setting)),
      edit(`SETTINGS = { ${key}: ${value} }`, `SETTINGS = { ${key}: ${next} }`),
    ],
  };
}

/** The faulty texts of a slip that may stand in a file, each with what should stand there. */
export function slipsIn(slip: Slip, file: FileName, view: View): [string, string][] {
  const target = view.targetColumn;
  if (slip.id === 'placeholder') return [["columns['TARGET_COLUMN']", slip.mended({ target })]];
  if (slip.id === 'extension') {
    const siblings = file === 'main.mjs' ? ['features', 'model', 'read', 'target'] : ['read'];
    return siblings.map((name) => [`from './${name}'`, `from './${name}.mjs'`]);
  }
  if (slip.id === 'invented') return [['Math.mean(values)', slip.mended({ target })]];
  const text = view.contents.get(file) ?? '';
  const found = slip.fault({ target }).exec(text)?.[0];
  return found ? [[found, slip.mended({ target })]] : [];
}

/** By heart for the drafts, and out of the text of a skill that was read: “the ladder 3, 8, 20, 50”. */
function ladderOf(view: View, name: string): string[] {
  const known = LADDERS[name];
  if (known) return known.map(String);
  const found = /ladder ([\d., ]+)/.exec(view.read.get(name) ?? '');
  return found ? (found[1]!.match(/\d+(\.\d+)?/g) ?? []) : [];
}
