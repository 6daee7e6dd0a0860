import type { Json } from '../json.ts';
import type { ChatRequest } from '../llm/llm.ts';
import { rngAt, seedAt } from '../rng.ts';
import { MUTATOR, RULES } from './proposals.ts';
import { type Option, sample } from './sample.ts';
import { loadSkillLibrary } from './skills.ts';
import { coverage, wordsOf } from './words.ts';

/** A line of the table of genes in the prompt. */
type Row = { path: string; bounds: string; value: Json; about: string };

type Proposal = Option & { edit: { [key: string]: Json }; why: string };

/**
 * Proposes one to three edits to the harness that the prompt describes: a rule or a skill that it knows, another value for a
 * setting of few values, or the removal of a rule or skill. It leans to what the lessons and traces speak of.
 * It knows no setting by name: those it reads from the table. Numbers are not its business.
 */
export function mutate(request: ChatRequest): string {
  const prompt = request.messages.find((message) => message.role === 'user')?.content ?? '';
  const rows = readTable(prompt);
  const advice = part(prompt, '## Lessons');
  const families = part(prompt, '## Scorecard');
  const tried = part(prompt, '## Edits tried before');
  const heed = (text: string) => (advice === '' ? MUTATOR.untold : MUTATOR.heed * heeded(text, advice));
  const all = [
    ...ruleProposals(rows, heed),
    ...skillProposals(rows, weakRows(families)),
    ...settingProposals(rows, heed),
    ...removals(rows),
  ];
  const options = all.map((proposal) => ({
    ...proposal,
    logit: proposal.logit + experience(String(proposal.edit.path), tried),
  }));
  if (options.length === 0)
    return JSON.stringify({ hypothesis: 'nothing comes to mind', expects: [], edits: [] });
  const chosen = several(options, request);
  return JSON.stringify({
    hypothesis: chosen.map(({ why }) => why).join(' '),
    expects: weakest(families),
    edits: chosen.map(({ edit }) => edit),
  });
}

/** One to three proposals that belong to different genes, each drawn from what the ones before left. */
function several(options: readonly Proposal[], request: ChatRequest): Proposal[] {
  const seed = request.seed ?? 0;
  const wanted = 1 + rngAt('edits', seed).int(MUTATOR.most);
  const chosen: Proposal[] = [];
  let left = options;
  while (chosen.length < wanted && left.length > 0) {
    const next = sample(left, new Map(), { ...request, seed: seedAt(seed, chosen.length) });
    chosen.push(next);
    left = left.filter(({ edit }) => edit.path !== next.edit.path);
  }
  return chosen;
}

function ruleProposals(rows: Row[], heed: (text: string) => number): Proposal[] {
  const present = rows.filter((row) => row.bounds === 'rule').map((row) => JSON.stringify(row.value));
  return RULES.filter((rule) => !present.some((text) => text.includes(rule.text))).map((rule) => ({
    says: rule.text,
    logit: MUTATOR.rule + rule.prior + heed(rule.text),
    edit: { op: 'set', path: `rules.${nameFor(rule.text)}`, value: { when: rule.when, text: rule.text } },
    why: `The agent does not do this by itself: ${rule.text}`,
  }));
}

/** Skills that the table does not have; those that speak of the families where it is weakest come to mind first. */
function skillProposals(rows: Row[], families: string): Proposal[] {
  const present = new Set(rows.map((row) => row.path));
  return Object.entries(loadSkillLibrary())
    .filter(([name]) => !present.has(`skills.${name}`))
    .map(([name, { description, body }]) => ({
      says: name,
      logit: MUTATOR.skill + MUTATOR.fit * coverage(wordsOf(families), description),
      edit: { op: 'set', path: `skills.${name}`, value: { description, body } },
      why: `The agent lacks a skill: ${description}`.slice(0, 300),
    }));
}

/** Other values for settings with few values, as the table lists them. */
function settingProposals(rows: Row[], heed: (text: string) => number): Proposal[] {
  return rows.flatMap((row) => {
    const values = row.bounds === 'true or false' ? [true, false] : row.bounds.split(', ');
    if (typeof row.value === 'number' || row.bounds === 'rule' || row.bounds === 'skill') return [];
    return values
      .filter((value) => value !== row.value)
      .map((value) => ({
        says: `${row.path} ${String(value)}`,
        logit: MUTATOR.setting - Math.log(values.length) - 1 + heed(row.about),
        edit: { op: 'set', path: row.path, value },
        why: `${row.about}: ${String(value)} may serve better than ${String(row.value)}.`,
      }));
  });
}

function removals(rows: Row[]): Proposal[] {
  return rows
    .filter((row) => row.bounds === 'rule' || row.bounds === 'skill')
    .map((row) => ({
      says: `remove ${row.path}`,
      logit: MUTATOR.removal,
      edit: { op: 'remove', path: row.path },
      why: 'It takes up attention and may do nothing.',
    }));
}

/** How much of a text the lessons speak of, those that fared badly not counted. */
function heeded(text: string, lessons: string): number {
  const words = wordsOf(text);
  const shares = lessons
    .split('\n')
    .filter((line) => !/mean −/.test(line))
    .map((line) => coverage(words, line));
  return Math.max(0, ...shares);
}

function readTable(prompt: string): Row[] {
  return part(prompt, '## Genes')
    .split('\n')
    .flatMap((line) => {
      const found = /^(\S+) \| ([^|]+) \| (.*) \| ([^|]*)$/.exec(line);
      if (!found || found[1] === 'path') return [];
      try {
        return [
          { path: found[1]!, bounds: found[2]!, value: JSON.parse(found[3]!) as Json, about: found[4]! },
        ];
      } catch {
        return [];
      }
    });
}

/** What earlier edits of the same gene say: those that did harm are not soon tried again. */
function experience(path: string, tried: string): number {
  const lines = tried.split('\n').filter((line) => line.includes(`${path}:`));
  return lines.reduce((sum, line) => sum + (/: \+/.test(line) ? MUTATOR.didWell : MUTATOR.didHarm), 0);
}

/** Ids of the tasks with the lowest scores, by the scorecard's own figures. */
function weakest(scorecard: string): string[] {
  return weakLines(scorecard).map((cells) => cells[0]!);
}

/** Their families, as words. */
function weakRows(scorecard: string): string {
  return weakLines(scorecard)
    .map((cells) => cells[1]!.replaceAll('-', ' '))
    .join(' ');
}

function weakLines(scorecard: string): string[][] {
  return scorecard
    .split('\n')
    .map((line) => line.split(' | '))
    .filter((cells) => cells.length === 6 && Number.isFinite(Number(cells[2])))
    .sort((a, b) => Number(a[2]) - Number(b[2]))
    .slice(0, 3);
}

function nameFor(text: string): string {
  const words = text.toLowerCase().match(/[a-z]+/g) ?? [];
  return words
    .filter((word) => word.length > 2)
    .slice(0, 5)
    .join('-')
    .slice(0, 48)
    .replace(/-$/, '');
}

function part(prompt: string, heading: string): string {
  const start = prompt.indexOf(`${heading}\n\n`);
  if (start < 0) return '';
  const body = prompt.slice(start + heading.length + 2);
  const end = body.search(/\n\n## /);
  return end < 0 ? body : body.slice(0, end);
}
