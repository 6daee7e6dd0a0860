import { writeFileSync } from 'node:fs';
import type { Genome } from '../genome/genome.ts';
import { redact } from '../secrets.ts';

/** The memory file of a trial: what the agent wrote down after each attempt. */
export type NoteBook = {
  add(attempt: number, text: string, closing: boolean): void;
  /** The notes that the next attempt sees, by the genome's memory genes, oldest first. */
  shown(): string[];
};

/** A note that says that something went badly; kept from the agent unless `keep_failures`. */
const FAILURE = /\b(fail|failed|error|crashed|worse|no better)\b/i;

/** `path` is the trial's memory.md, rewritten with all notes (they are few), shown or not. */
export function noteBook(memory: Genome['memory'], path: string): NoteBook {
  const notes: string[] = [];
  return {
    add(attempt, text, closing) {
      const line = redact(text).trim().replace(/\s+/g, ' ').slice(0, memory.chars);
      if (line === '') return;
      notes.push(closing ? `attempt ${attempt}: ${line}` : line);
      writeFileSync(path, `# Notes\n\n${notes.map((note) => `- ${note}`).join('\n')}\n`);
    },
    shown() {
      if (memory.notes === 0) return [];
      const kept = memory.keep_failures ? notes : notes.filter((note) => !FAILURE.test(note));
      return kept.slice(-memory.notes);
    },
  };
}
