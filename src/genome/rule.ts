import { didYouMean } from '../suggest.ts';
import { formatFrontMatter, parseFrontMatter } from './front-matter.ts';
import { RULE_GENES } from './gene-table.ts';
import type { Rule } from './genome.ts';

/** Reads a rule's file: front matter `when:`, and the text. Throws an `Error` that says what is wrong, and where. */
export function parseRule(text: string): Rule {
  const { fields, body } = parseFrontMatter(text);
  const odd = Object.keys(fields).find((key) => key !== 'when');
  if (odd !== undefined) throw new Error(`front matter: unknown field "${odd}"; a rule has only "when"`);
  const when = RULE_GENES.triggers.find((trigger) => trigger === fields.when);
  if (when === undefined) {
    const options = RULE_GENES.triggers.join(', ');
    if (typeof fields.when !== 'string')
      throw new Error(`front matter: "when" is missing; it is one of ${options}`);
    const guess = didYouMean(fields.when, RULE_GENES.triggers);
    throw new Error(`front matter: unknown trigger "${fields.when}"${guess}; "when" is one of ${options}`);
  }
  return { when, text: body };
}

/** The file of a rule; `parseRule` reads it back. */
export function formatRule(rule: Rule): string {
  return formatFrontMatter({ when: rule.when }, rule.text).replace(`"${rule.when}"`, rule.when);
}
