import type { Genome } from '../genome/genome.ts';
import type { Profile } from '../llm/profile.ts';
import { usedSampling } from '../llm/wire.ts';
import { endpointOf, type Parties, PURPOSES } from './parties.ts';

/** What people should know of the models before a run: where they are, and what they cannot do. */
export function partyLines(parties: Parties, { sampling }: Genome, replay: string | null): string[] {
  const lines =
    replay === null ? placesOf(parties) : [`replies come from the cassette ${replay}; no model is asked`];
  if (parties.frozen.length > 0) {
    lines.push(`frozen, as ${parties.agent.model} has no such parameter: ${parties.frozen.join(', ')}`);
  }
  const used = usedSampling(sampling, parties.agent.profile);
  for (const [name, value] of Object.entries(used)) {
    const told = sampling[name as keyof typeof sampling];
    if (told !== value) lines.push(`sampling.${name}, ${told} in the genome, is sent as ${value}`);
  }
  return lines;
}

function placesOf(parties: Parties): string[] {
  return PURPOSES.flatMap((role) => {
    const { model, baseURL, profile } = parties[role];
    const same = role !== 'agent' && endpointOf(parties[role]) === endpointOf(parties.agent);
    if (baseURL === null || (same && model === parties.agent.model)) return [];
    return [`${role}: ${model} at ${baseURL}${priceText(profile)}`];
  });
}

function priceText({ price }: Profile): string {
  if (price === null) return ', price unknown, counted as $0';
  if (price.input === 0 && price.output === 0) return '';
  return `, $${price.input} in and $${price.output} out per million tokens (${price.asOf})`;
}
