import { diffGenomes } from '../genome/diff.ts';
import { getGene } from '../genome/genes.ts';
import type { Genome, Rule, Skill } from '../genome/genome.ts';
import type { Constitution } from './constitution.ts';

/** A guard's answer. */
export type Verdict = { verdict: 'allow' | 'ask' | 'deny'; reason: string };

/**
 * Whether evolution may make `child` of `parent`: every gene that differs is held against the constitution, and the
 * sternest answer stands. Only what changes is reviewed, so that a founder may be what evolution may not become.
 * Both genomes must be valid.
 */
export function reviewChange(constitution: Constitution, parent: Genome, child: Genome): Verdict {
  const changes = diffGenomes(parent, child);
  if (changes.length === 0) return { verdict: 'allow', reason: 'nothing changes' };
  const verdicts = [
    ...changes.map(({ path }) => reviewGene(constitution, child, path)),
    ...(['rules', 'skills'] as const).map((section) => reviewCount(constitution, parent, child, section)),
  ];
  return (
    verdicts.find(({ verdict }) => verdict === 'deny') ??
    verdicts.find(({ verdict }) => verdict === 'ask') ?? {
      verdict: 'allow',
      reason: `${changes.length === 1 ? 'the change is' : 'all changes are'} within the constitution`,
    }
  );
}

/** What the guard has against a step; a run asks nobody, so what would need approval is refused. */
export function objections(constitution: Constitution, parent: Genome, child: Genome): string[] {
  const { verdict, reason } = reviewChange(constitution, parent, child);
  if (verdict === 'allow') return [];
  return [verdict === 'ask' ? `needs approval: ${reason}` : `against the constitution: ${reason}`];
}

function reviewGene(constitution: Constitution, child: Genome, path: string): Verdict {
  const general = permission(constitution, path);
  if (general.verdict === 'deny') return general;
  const value = getGene(child, path);
  // Taking a rule or skill away needs no more than the permission to change it.
  if (value === undefined) return general;
  const bounds = constitution.bounds[path];
  if (bounds !== undefined && ((value as number) < bounds.min || (value as number) > bounds.max)) {
    return deny(`${path} is ${value}, outside ${bounds.min} to ${bounds.max}`);
  }
  if (path.startsWith('rules.')) {
    const { text } = value as Rule;
    const most = constitution.most.ruleCharacters;
    if (text.length > most) return deny(`${path} has ${text.length} characters, more than ${most}`);
    return forbidden(constitution, path, [text]) ?? general;
  }
  if (!path.startsWith('skills.')) return general;
  const { description, body, files } = value as Skill;
  const word = forbidden(constitution, path, [description, body, ...Object.values(files)]);
  if (word !== null) return word;
  const script = Object.keys(files).find((file) => file.startsWith('scripts/'));
  if (script === undefined || constitution.scripts === 'allow') return general;
  return { verdict: constitution.scripts, reason: `${path} has a script, ${script}` };
}

/** The longest listed path that is the gene's own or its section decides; of equal ones the sternest. */
function permission(constitution: Constitution, path: string): Verdict {
  for (const listed of [path, path.split('.')[0]!]) {
    for (const verdict of ['deny', 'ask', 'allow'] as const) {
      if (constitution[verdict].includes(listed))
        return { verdict, reason: `${listed} is under "${verdict}"` };
    }
  }
  return deny(`${path} is not under "allow"`);
}

function reviewCount(
  constitution: Constitution,
  parent: Genome,
  child: Genome,
  section: 'rules' | 'skills',
): Verdict {
  const had = Object.keys(parent[section]).length;
  const has = Object.keys(child[section]).length;
  const most = constitution.most[section];
  if (has > most && has > had) return deny(`${has} ${section}, more than ${most}`);
  return { verdict: 'allow', reason: `${has} ${section}` };
}

function forbidden(constitution: Constitution, path: string, texts: string[]): Verdict | null {
  const word = constitution.forbiddenWords.find((phrase) => {
    const escaped = phrase.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const whole = new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'iu');
    return texts.some((text) => whole.test(text));
  });
  return word === undefined ? null : deny(`${path} speaks of "${word}"`);
}

function deny(reason: string): Verdict {
  return { verdict: 'deny', reason };
}
