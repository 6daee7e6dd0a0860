import { rngAt } from '../rng.ts';
import { advisor, timesInARow } from './advice.ts';
import {
  ACTIONS,
  type ActionName,
  BY_HEART,
  COPIED,
  DECISIVENESS,
  HABIT,
  LEANINGS,
  RUT,
  RUTTED,
  type Situation,
  SLIP,
  SLIPS,
  type Slip,
} from './knowledge.ts';
import { codeIn, configured, currentOf, draftOf, fileOf, ladderStep, slipsIn } from './program.ts';
import { remembering } from './remembering.ts';
import type { Option } from './sample.ts';
import { FILES, type FileName, type View } from './view.ts';
import { coverage, wordsOf } from './words.ts';

/** A tool call that the model would make. */
export type Call = { name: string; args: Record<string, string | number> };

/** One thing that the model might do now: what it says, how much it leans to it, and the calls it makes. */
export type Choice = Option & { action: ActionName; calls: Call[] };

/** All that might be done now, with logits: priors of the situation, moved by the advice in view. */
export function choices(view: View): Choice[] {
  const situation = situationOf(view);
  const pull = advisor(view);
  const all: Choice[] = [];

  function add(
    action: ActionName,
    calls: Call[],
    more: { lean?: number; about?: string; detail?: string } = {},
  ): void {
    const { says, priors } = ACTIONS[action] as { says: string; priors: Partial<Record<Situation, number>> };
    const prior = priors[situation];
    if (prior === undefined || calls.length === 0) return;
    const rut = RUTTED.includes(action) ? Math.min(RUT.deepest, RUT.step * timesInARow(view.said, says)) : 0;
    const logit = DECISIVENESS * (prior + (more.lean ?? 0) + rut) + pull(says, more.about ?? '');
    all.push({ action, says: more.detail ? `${says} ${more.detail}` : says, logit, calls });
  }

  /** Whether it might occur to the model at all: what it would do takes work to find out. */
  const occurs = (action: ActionName) => situation in ACTIONS[action].priors;

  const late = view.turnsLeft <= 2 || view.jobsLeft <= 0 ? LEANINGS.late : 0;
  const looked = view.said.some((text) => text.startsWith(ACTIONS.look.says));
  add('look', [{ name: 'read_file', args: { path: 'data/train.csv', lines: 4 } }], {
    lean: looked ? -1.2 : 0,
  });
  addReading(view, add);
  addWriting(view, situation, add);
  add('train', [{ name: 'train', args: {} }]);
  add('rerun', [{ name: 'train', args: {} }]);
  addFixing(view, add);
  if (occurs('restart')) add('restart', restart(view));
  addTuning(view, add);
  addReturning(view, add, late);
  add('review', [read('features.mjs'), read('target.mjs'), read('main.mjs')]);
  if (occurs('mend')) add('mend', mend(view));
  return all;
}

type Add = (
  action: ActionName,
  calls: Call[],
  more?: { lean?: number; about?: string; detail?: string },
) => void;

/** Reading skills that were not read yet in this conversation. */
function addReading(view: View, add: Add): void {
  const covered = new Set([...view.read.keys()].map((name) => fileOf(view.skills.get(name) ?? '')));
  for (const [name, description] of view.skills) {
    if (view.read.has(name)) continue;
    const file = fileOf(description);
    const inUse = file !== null && currentOf(view, file)?.startsWith(name) === true;
    const lean =
      LEANINGS.relevance * relevance(view, description) +
      (file !== null && covered.has(file) ? LEANINGS.secondSkill : 0) +
      (inUse ? LEANINGS.already : 0);
    add('read', [{ name: 'read_skill', args: { name } }], { lean, about: name, detail: `(${name})` });
  }
}

/** Writing files: the next missing one, or another form of one that is there; each rightly or with a slip. */
function addWriting(view: View, situation: Situation, add: Add): void {
  const missing = FILES.find((file) => !view.heads.has(file));
  const first = missing ? [missing] : FILES.filter((file) => file === view.failure?.file);
  const forms: { file: FileName; name: string; code: string; lean: number; action: ActionName }[] = [];
  for (const file of first) {
    for (const [name, code] of draftOf(file)) {
      const suited = BY_HEART[name];
      const lean = suited === undefined ? 0 : suits(view, suited, name);
      forms.push({ file, name: name.replace('.mjs', ''), code, lean, action: 'write' });
    }
  }
  for (const [name, body] of view.read) {
    const code = codeIn(body);
    const file = fileOf(view.skills.get(name) ?? '');
    if (code === null || file === null) continue;
    const drafting = first.includes(file) && missing !== undefined;
    if (!drafting && missing !== undefined) continue;
    const same = currentOf(view, file)?.startsWith(name) ? LEANINGS.already : 0;
    const lean = LEANINGS.relevance * relevance(view, view.skills.get(name)!) + same;
    const action = drafting ? 'write' : 'swap';
    forms.push({ file, name, code, lean: lean + (drafting ? LEANINGS.skilled : 0), action });
  }
  for (const { file, name, code, lean, action } of forms) {
    const right = configured(view, name, code);
    const write = (content: string): Call[] => [{ name: 'write_file', args: { path: file, content } }];
    const detail = `(${file}: ${name})`;
    add(action, write(right), { lean, about: name, detail });
    for (const { slip, wrong } of slipsOf(right)(view.targetColumn)) {
      const copied = isCopied(view, slip, file) ? COPIED : habit(view, file, slip);
      add(action, write(wrong), { lean: lean + SLIP + copied, about: `${name} ${slip.about}`, detail });
    }
  }
  // Once a skill is read, the plain form stays an option only while drafting: `situation` decides by its priors.
  if (situation === 'scored' && view.read.size === 0) {
    for (const file of ['features.mjs', 'model.mjs'] as const) {
      for (const [name, code] of draftOf(file)) {
        const plain = name.replace('.mjs', '');
        const lean = currentOf(view, file)?.includes(plain) ? LEANINGS.already : LEANINGS.misfits;
        add('write', [{ name: 'write_file', args: { path: file, content: configured(view, plain, code) } }], {
          lean,
          about: plain,
          detail: `(${file}: ${plain})`,
        });
      }
    }
  }
}

/** The ways in which the hand may slip in writing a text: each that changes it, with what comes out. */
const slipsOf = remembering(500, (right: string) =>
  remembering(10, (target: string) =>
    SLIPS.map((slip) => ({ slip, wrong: right.replace(slip.right({ target }), slip.wrong) })).filter(
      ({ wrong }) => wrong !== right,
    ),
  ),
);

/** What might be done about an error. */
function addFixing(view: View, add: Add): void {
  const failure = view.failure;
  const lastSlip = slipOfLastFix(view);
  if (lastSlip) {
    const others = FILES.filter((file) => file !== lastSlip.file);
    add(
      'siblings',
      others.flatMap((file) => mendCalls(view, lastSlip.slip, file)),
    );
  }
  if (!failure) return;
  const slip = SLIPS.find(
    (known) =>
      known.loud &&
      (known.fault({ target: '' }).test(failure.line ?? '') || isExtension(known, failure.text)),
  );
  const vague = failure.line === null ? LEANINGS.vague : 0;
  if (slip && failure.file)
    add('fix', mendCalls(view, slip, failure.file), { lean: vague, detail: `(${failure.file}: ${slip.id})` });
  if (failure.file) {
    const comment = `// ${ACTIONS.misfix.says}`;
    add('misfix', [{ name: 'edit_file', args: { path: failure.file, old: comment, new: comment } }]);
  }
}

/** One step up or down the ladder of the model's setting. */
function addTuning(view: View, add: Add): void {
  for (const [action, step] of [
    ['raise', 1],
    ['lower', -1],
  ] as const) {
    const change = ladderStep(view, step);
    if (change)
      add(action, change.calls, {
        about: `${change.model} ${change.setting}`,
        detail: `(${change.setting})`,
      });
  }
}

/** Going back to, or submitting, what scored best, as far as it is known. */
function addReturning(view: View, add: Add, late: number): void {
  const known = [...view.scores].sort(([, a], [, b]) => (view.higher ? b - a : a - b));
  const best = known[0]?.[0];
  const last = Math.max(...view.scores.keys());
  const behind = best !== undefined && best !== last;
  add('submitLast', [{ name: 'submit', args: {} }], { lean: late - (behind ? LEANINGS.behind : 0) });
  if (!behind || best === undefined) return;
  add('submitBest', [{ name: 'submit', args: { attempt: best } }], { lean: late + LEANINGS.behind });
  const reverted = view.said.some((text) => text.startsWith(ACTIONS.revert.says));
  add(
    'revert',
    FILES.map((path) => ({ name: 'write_file', args: { path, copy_of: `attempts/${best}/${path}` } })),
    { lean: LEANINGS.behind + (reverted ? LEANINGS.already : 0) },
  );
}

/** Where the work stands. */
export function situationOf(view: View): Situation {
  if (view.failure) return 'failed';
  const missing = FILES.some((file) => !view.heads.has(file));
  if (missing) return view.contents.size === 0 && view.heads.size === 0 ? 'start' : 'drafting';
  const last = view.said.at(-1) ?? '';
  if (last.startsWith(ACTIONS.revert.says)) return 'scored';
  if (last.startsWith(ACTIONS.fix.says)) return 'fixed';
  if (view.changed) return 'ready';
  return last.startsWith(ACTIONS.review.says) ? 'reviewed' : 'scored';
}

/** How much of a description the task's own words mention, in [0, 1]. */
function relevance(view: View, description: string): number {
  return coverage(wordsOf(description), view.task);
}

function suits(view: View, description: string, name: string): number {
  const own = coverage(wordsOf(description), view.task);
  const other = Math.max(
    ...Object.entries(BY_HEART).map(([key, text]) => (key === name ? 0 : coverage(wordsOf(text), view.task))),
  );
  return own >= other ? LEANINGS.suits : LEANINGS.misfits;
}

/** How much this task's wording leads to this slip in this file: frozen, and the same for everyone. */
function habit(view: View, file: FileName, slip: Slip): number {
  return habitOf(file, slip.id, view.task.split('\n', 1)[0]!);
}

const habitOf = remembering(
  2000,
  (file: FileName, slip: string, title: string) => HABIT * rngAt('habit', title, file, slip).normal(),
);

function isCopied(view: View, slip: Slip, file: FileName): boolean {
  return [...view.contents].some(
    ([path, text]) => path !== file && path !== 'data/train.csv' && slip.fault({ target: '' }).test(text),
  );
}

function isExtension(slip: Slip, text: string): boolean {
  return slip.id === 'extension' && text.includes('ERR_MODULE_NOT_FOUND');
}

/** The slip that the last reply mended, if it was a fix. */
function slipOfLastFix(view: View): { slip: Slip; file: FileName } | null {
  const last = view.said.at(-1) ?? '';
  const found = /\((\w+\.mjs): (\w[\w-]*)\)$/.exec(last);
  if (!found || !last.startsWith(ACTIONS.fix.says)) return null;
  const slip = SLIPS.find((known) => known.id === found[2]);
  return slip ? { slip, file: found[1] as FileName } : null;
}

/** Edits that put right every place of a slip in a file, written so that they do nothing where it is not. */
function mendCalls(view: View, slip: Slip, file: FileName): Call[] {
  return slipsIn(slip, file, view).map(([old, mended]) => ({
    name: 'edit_file',
    args: { path: file, old, new: mended },
  }));
}

function mend(view: View): Call[] {
  return SLIPS.filter((slip) => !slip.loud).flatMap((slip) =>
    [...view.contents].flatMap(([path, text]) => {
      const file = FILES.find((name) => name === path);
      return file && slip.fault({ target: view.targetColumn }).test(text) ? mendCalls(view, slip, file) : [];
    }),
  );
}

function restart(view: View): Call[] {
  return FILES.map((path) => {
    const forms = [...draftOf(path)];
    const [name, code] =
      forms.find(([key]) => BY_HEART[key] && suits(view, BY_HEART[key], key) > 0) ?? forms[0]!;
    return { name: 'write_file', args: { path, content: configured(view, name.replace('.mjs', ''), code) } };
  });
}

function read(path: string): Call {
  return { name: 'read_file', args: { path, lines: 80 } };
}
