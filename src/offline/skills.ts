import { readdirSync, readFileSync } from 'node:fs';
import type { Skill } from '../genome/genome.ts';
import { parseSkill } from '../genome/skill.ts';

const SKILLS = new URL('../../src/offline/skills/', import.meta.url);
const DRAFTS = new URL('../../src/offline/drafts/', import.meta.url);

let library: Record<string, Skill> | undefined;
let drafts: Record<string, string> | undefined;

/** The skills that ship with the offline model, by name. Read once a process; not to be changed by callers. */
export function loadSkillLibrary(): Record<string, Skill> {
  library ??= Object.fromEntries(
    readdirSync(SKILLS)
      .sort()
      .map((name) => [name, parseSkill(readFileSync(new URL(`${name}/SKILL.md`, SKILLS), 'utf8'), name)]),
  );
  return library;
}

/** The files that the offline model knows by heart, by file name, placeholders unfilled. Read once a process. */
export function loadDrafts(): Record<string, string> {
  drafts ??= Object.fromEntries(
    readdirSync(DRAFTS)
      .sort()
      .map((name) => [name, readFileSync(new URL(name, DRAFTS), 'utf8')]),
  );
  return drafts;
}

/** The one fenced block of JavaScript in a skill's body: a whole file, ending in a newline; null if there is none. */
export function codeOf(body: string): string | null {
  return /^```js\n(.*?\n)```$/ms.exec(body)?.[1] ?? null;
}
