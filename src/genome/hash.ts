import { hashJson } from '../json.ts';
import type { Genome } from './genome.ts';

/** A genome's name: 12 hex digits of the hash of its canonical JSON; the order of rules and skills is no part of it. */
export function genomeId(genome: Genome): string {
  return hashJson(genome);
}
