import type { Message } from '../../llm/llm.ts';
import { noteOn } from '../note.ts';
import type { View } from '../view.ts';
import { CONSTANTS, type Situation } from './knowledge.ts';

export const PROGRAM = 'train.py';

/** An edit to the program: what stood there, and what stands there now. */
export type Change = { old: string; now: string; setting: string };

/** An experiment as it can be read from the conversation. */
export type Experiment = {
  view: View;
  situation: Situation;
  /** The program as it stands, once it was read in this conversation. */
  text: string | null;
  /** Changes of this attempt, oldest first. */
  changes: Change[];
};

/** Reads a conversation about a folder with a `train.py`; null where there is none in it. */
export function readResearch(messages: readonly Message[], view: View): Experiment | null {
  const opening = messages[1]?.content ?? '';
  if (!new RegExp(`^${PROGRAM.replace('.', '\\.')} {2}`, 'm').test(opening)) return null;
  const text = view.contents.get(PROGRAM) ?? null;
  return { view, situation: situationOf(view, text), text, changes: changesIn(messages) };
}

/** The change that moves a constant one rung up or down; null where there is none, or it is at the end. */
export function step(text: string, name: string, by: 1 | -1): Change | null {
  const value = constantIn(text, name);
  const rungs = CONSTANTS[name]?.rungs ?? [];
  const next = value === null ? undefined : rungs[rungs.indexOf(value) + by];
  if (value === null || next === undefined || !rungs.includes(value)) return null;
  // With both line ends, so that no other line is changed.
  return { old: `\n${name} = ${value}\n`, now: `\n${name} = ${next}\n`, setting: `${name}=${next}` };
}

/** A slip of the hand: a comma is left behind the value, which Python takes for a list of one. */
export function slipped({ old, now, setting }: Change): Change {
  return { old, now: now.replace(/\n$/, ',\n'), setting };
}

/** The change that takes such commas away; null where there are none. */
export function mended(text: string): Change | null {
  const found = /\n([A-Z][A-Z0-9_]*) = (\S+),\n/.exec(text);
  return found && { old: found[0], now: `\n${found[1]} = ${found[2]}\n`, setting: `${found[1]}=${found[2]}` };
}

/** The note that closes an attempt: what was changed, what that gave. */
export function researchNote({ view, changes }: Experiment): string {
  const settings = changes.map(({ setting }) => setting);
  const reverted = view.said.some((text) => text.startsWith('Go back')) ? 'the best attempt with ' : '';
  return noteOn(view, settings.length === 0 ? `${PROGRAM} as it stood` : reverted + settings.join(', '));
}

function situationOf(view: View, text: string | null): Situation {
  if (view.failure) return 'failed';
  if (text === null) return view.changed ? 'start' : 'unread';
  return view.changed ? 'ready' : 'scored';
}

function changesIn(messages: readonly Message[]): Change[] {
  const calls = messages.flatMap((message) =>
    message.role === 'assistant' ? (message.tool_calls ?? []) : [],
  );
  return calls.flatMap(({ function: { name, arguments: raw } }) => {
    if (name !== 'edit_file') return [];
    try {
      const { old, new: now } = JSON.parse(raw) as Record<string, unknown>;
      const setting = /^\n(\S+) = (.*?),?\n$/.exec(String(now));
      return setting ? [{ old: String(old), now: String(now), setting: `${setting[1]}=${setting[2]}` }] : [];
    } catch {
      return [];
    }
  });
}

/** The value of a constant as the program has it; null where it has no such line. */
function constantIn(text: string, name: string): string | null {
  return new RegExp(`^${name} = (.*)$`, 'm').exec(text)?.[1] ?? null;
}
