/**
 * A model's text on one line, for the journal, reports and prompts: controls and invisible characters (which could
 * hide words or turn a line round) become blanks, white space is collapsed, and it is cut at `limit` characters.
 */
export function oneLine(text: string, limit = Number.POSITIVE_INFINITY): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\s]+/gu, ' ').trim();
  if (plain.length <= limit) return plain;
  // A cut may fall into a pair of surrogates.
  return plain.slice(0, limit).replace(/[\ud800-\udbff]$/, '');
}
