import { OFFLINE, type RunConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import type { Founders } from '../genome/founders.ts';
import { isLoopback, readBaseURL } from '../llm/address.ts';
import type { Purpose } from '../llm/ledger-book.ts';
import { preflight, readKey } from '../llm/preflight.ts';
import type { Profile } from '../llm/profile.ts';
import { profileOf } from '../llm/profiles.ts';
import { frozenGenes, usedSampling } from '../llm/wire.ts';
import { protect } from '../secrets.ts';

/**
 * A model in a role. `baseURL` is null for the offline one, in process; `told` is the setting or variable that it comes
 * from. The key itself is read when it is needed.
 */
export type Party = {
  model: string;
  baseURL: string | null;
  told: string;
  keyVariable: string;
  profile: Profile;
};

/** Who plays which role. */
export type Parties = Record<Purpose, Party> & {
  /** Genes that the agent's endpoint cannot express. */
  frozen: string[];
};

const ROLES: readonly Purpose[] = ['agent', 'mutator', 'critic'];

/**
 * Who plays which role, by the settings and the environment; nothing is asked of an endpoint. Throws a `UserError` for
 * an address that is none.
 */
export function partiesOf(config: RunConfig, env = process.env): Parties {
  const parties = Object.fromEntries(ROLES.map((role) => [role, partyOf(role, config, env)])) as Record<
    Purpose,
    Party
  >;
  protect(ROLES.map((role) => parties[role].keyVariable));
  return { ...parties, frozen: frozenGenes(parties.agent.profile) };
}

/**
 * Asks each endpoint for its list of models, so that a wrong key, address or name shows before anything is written.
 * Throws a `UserError`.
 */
async function checkParties(parties: Parties): Promise<void> {
  const endpoints = new Map<string, { party: Party; models: Set<string> }>();
  for (const role of ROLES) {
    const party = parties[role];
    if (party.baseURL === null) continue;
    const known = endpoints.get(endpointOf(party)) ?? { party, models: new Set<string>() };
    known.models.add(party.model);
    endpoints.set(endpointOf(party), known);
  }
  for (const { party, models } of endpoints.values()) {
    await preflight({
      baseURL: party.baseURL!,
      apiKey: keyOf(party),
      keyVariable: party.keyVariable,
      urlVariable: party.told,
      models: [...models],
    });
  }
}

/**
 * The offline model runs in process, unless OPENAI_BASE_URL is on this machine and serves a model of that name
 * (`evolve model serve`): then it is asked there, like any other. Gives the settings' parties, mended.
 */
async function findOffline(
  parties: Parties,
  say: (line: string) => void,
  env = process.env,
): Promise<Parties> {
  const address = env.OPENAI_BASE_URL;
  const offline = ROLES.filter((role) => parties[role].model === OFFLINE && parties[role].baseURL === null);
  if (!address || offline.length === 0) return parties;
  const baseURL = readBaseURL(address, 'OPENAI_BASE_URL');
  if (!isLoopback(baseURL)) return parties;
  const asked = { baseURL, apiKey: keyOf(parties[offline[0]!]), models: [OFFLINE] };
  const served = await preflight({
    ...asked,
    keyVariable: 'OPENAI_API_KEY',
    urlVariable: 'OPENAI_BASE_URL',
  }).then(
    ({ models }) => models !== null,
    () => false,
  );
  if (!served) return parties;
  say(`the offline model is asked at ${baseURL}`);
  const found = Object.fromEntries(offline.map((role) => [role, { ...parties[role], baseURL }]));
  return { ...parties, ...found };
}

/** The parties of a run that is about to begin, each found where it is said to be. Throws a `UserError`. */
export async function reachParties(
  parties: Parties,
  config: RunConfig,
  say: (line: string) => void,
): Promise<Parties> {
  if (config.replay !== null) return parties;
  const found = await findOffline(parties, say);
  await checkParties(found);
  checkPrices(found, config);
  return found;
}

/** What people should know of the models before a run: where they are, and what they cannot do. */
export function partyLines(
  parties: Parties,
  { baseline, genomes }: Founders,
  replay: string | null,
): string[] {
  const lines =
    replay === null ? placesOf(parties) : [`replies come from the cassette ${replay}; no model is asked`];
  if (parties.frozen.length > 0) {
    lines.push(`frozen, as ${parties.agent.model} has no such parameter: ${parties.frozen.join(', ')}`);
  }
  const { sampling } = genomes.get(baseline)!;
  const used = usedSampling(sampling, parties.agent.profile);
  for (const [name, value] of Object.entries(used)) {
    const told = sampling[name as keyof typeof sampling];
    if (told !== value) lines.push(`the baseline's sampling.${name} ${told} is sent as ${value}`);
  }
  return lines;
}

function placesOf(parties: Parties): string[] {
  return ROLES.flatMap((role) => {
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

/** Names an endpoint: parties with the same share its limits. */
export function endpointOf({ baseURL, keyVariable }: Party): string {
  return `${baseURL} ${keyVariable}`;
}

/** The key of a party; the offline model wants none. */
export function keyOf({ model, keyVariable }: Party): string {
  return model === OFFLINE ? (process.env[keyVariable] ?? 'none') : readKey(keyVariable);
}

function partyOf(role: Purpose, config: RunConfig, env: NodeJS.ProcessEnv): Party {
  const choice = role === 'agent' ? { model: config.model, baseUrl: null, keyVariable: null } : config[role];
  const { model, baseUrl, keyVariable } = choice;
  const party = {
    model,
    told: baseUrl === null ? 'OPENAI_BASE_URL' : `--${role}-base-url`,
    profile: profileOf(model, config.profiles),
    keyVariable: keyVariable ?? 'OPENAI_API_KEY',
  };
  if (baseUrl !== null) return { ...party, baseURL: readBaseURL(baseUrl, party.told) };
  if (model === OFFLINE) return { ...party, baseURL: null };
  const address = env.OPENAI_BASE_URL || 'https://api.openai.com/v1';
  return { ...party, baseURL: readBaseURL(address, 'OPENAI_BASE_URL') };
}

/** Throws a `UserError` where a model has no known price, unless that was allowed. */
export function checkPrices(parties: Parties, config: RunConfig): void {
  if (config.replay !== null) return;
  for (const role of ROLES) checkPrice(parties[role], config);
}

function checkPrice({ model, profile }: Party, config: RunConfig): void {
  if (profile.price !== null) return;
  const told = `give it in a --config file: \`models: {${model}: {price: {input: 0.3, output: 1.2}}}\`, dollars per million tokens`;
  if (config.budgetUsd !== null) {
    throw new UserError(`--budget-usd cannot be kept: no price is known for the model ${model}`, told);
  }
  if (config.allowUnpriced) return;
  throw new UserError(
    `no price is known for the model ${model}`,
    `${told}; or let it count as 0 dollars with --allow-unpriced`,
  );
}
