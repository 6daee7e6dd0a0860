import { advisor, timesInARow } from '../advice.ts';
import { DECISIVENESS, LEANINGS, RUT, SLIP } from '../knowledge.ts';
import type { Call } from '../policy.ts';
import type { Option } from '../sample.ts';
import { type Change, type Experiment, mended, PROGRAM, slipped, step } from './experiment.ts';
import { CONSTANTS, DEEDS, type Deed, type Situation, TRIED } from './knowledge.ts';

type Choice = Option & { calls: Call[] };

/** Fruitless when repeated. */
const RUTTED: readonly Deed[] = ['look', 'rerun'];

/**
 * All that might be done now in research on a `train.py`, with logits: priors of the situation, moved by the advice in
 * view, as in `../policy.ts`. Keep or discard: one constant is changed at a time, and what was no better gives way to
 * the best attempt that it knows of.
 */
export function researchChoices({ view, situation, text, changes }: Experiment): Choice[] {
  const pull = advisor(view);
  const all: Choice[] = [];

  function add(deed: Deed, calls: Call[], lean = 0, about = '', detail = ''): void {
    const { says, priors } = DEEDS[deed] as { says: string; priors: Partial<Record<Situation, number>> };
    const prior = priors[situation];
    if (prior === undefined) return;
    const rut = RUTTED.includes(deed) ? Math.min(RUT.deepest, RUT.step * timesInARow(view.said, says)) : 0;
    const logit = DECISIVENESS * (prior + lean + rut) + pull(says, about);
    all.push({ says: detail === '' ? says : `${says} (${detail})`, logit, calls });
  }

  const late = view.turnsLeft <= 2 || view.jobsLeft <= 0 ? LEANINGS.late : 0;
  add('look', [read]);
  add('train', [train]);
  add('rerun', [train]);
  if (text !== null) addChanges(text, view.notes, add);
  const comma = mended(text ?? '');
  if (comma) add('fix', [edit(comma)]);
  const last = changes.at(-1);
  if (last) add('undo', [edit({ ...last, old: last.now, now: last.old })]);

  const best = [...view.scores].sort(([, a], [, b]) => a - b)[0]?.[0];
  const behind = best !== undefined && best !== Math.max(...view.scores.keys());
  add('submitLast', [{ name: 'submit', args: {} }], late - (behind ? LEANINGS.behind : 0));
  if (best !== undefined && (behind || situation === 'failed')) {
    const back = { name: 'write_file', args: { path: PROGRAM, copy_of: `attempts/${best}/${PROGRAM}` } };
    const reverted = view.said.some((said) => said.startsWith(DEEDS.revert.says)) ? LEANINGS.already : 0;
    add('revert', [back, read], 2 * LEANINGS.behind + reverted);
    add('submitBest', [{ name: 'submit', args: { attempt: best } }], late + LEANINGS.behind);
  }
  return all;
}

/** One step up or down for every constant that the program has, each rightly or with a slip of the hand. */
function addChanges(
  text: string,
  notes: readonly string[],
  add: (deed: Deed, calls: Call[], lean: number, about: string, detail: string) => void,
): void {
  for (const [name, { about, raise, lower }] of Object.entries(CONSTANTS)) {
    for (const [deed, by, lean] of [
      ['raise', 1, raise],
      ['lower', -1, lower],
    ] as const) {
      const change = step(text, name, by);
      if (change === null) continue;
      const tried = notes.some((note) => note.includes(change.setting)) ? TRIED : 0;
      add(deed, [edit(change)], lean + tried, about, change.setting);
      add(deed, [edit(slipped(change))], lean + tried + SLIP, about, change.setting);
    }
  }
}

const read: Call = { name: 'read_file', args: { path: PROGRAM, lines: 400 } };
const train: Call = { name: 'train', args: {} };

function edit({ old, now }: Change): Call {
  return { name: 'edit_file', args: { path: PROGRAM, old, new: now } };
}
