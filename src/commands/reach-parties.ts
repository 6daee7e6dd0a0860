import { OFFLINE, type RunConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import { isLoopback, readBaseURL } from '../llm/address.ts';
import { preflight } from '../llm/preflight.ts';
import { didYouMean } from '../suggest.ts';
import { endpointOf, keyOf, type Parties, type Party, PURPOSES } from './parties.ts';

/**
 * Asks each endpoint for its list of models, so that a wrong key, address or name shows before anything is written.
 * Throws a `UserError`.
 */
async function checkParties(parties: Parties): Promise<void> {
  const endpoints = new Map<string, { party: Party; models: Set<string> }>();
  for (const role of PURPOSES) {
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
  const offline = PURPOSES.filter(
    (role) => parties[role].model === OFFLINE && parties[role].baseURL === null,
  );
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

/** Throws a `UserError` where a model has no known price, unless that was allowed. */
export function checkPrices(parties: Parties, config: RunConfig): void {
  if (config.replay !== null) return;
  for (const role of PURPOSES) checkPrice(parties[role], config);
}

function checkPrice({ model, profile }: Party, config: RunConfig): void {
  if (profile.price !== null) return;
  const known = Object.keys(config.profiles);
  const told = `give it in a --config file${didYouMean(model, known)}: \`models: {${model}: {price: {input: 0.3, output: 1.2}}}\`, dollars per million tokens`;
  if (config.budgetUsd !== null) {
    throw new UserError(`--budget-usd cannot be kept: no price is known for the model ${model}`, told);
  }
  if (config.allowUnpriced) return;
  throw new UserError(
    `no price is known for the model ${model}`,
    `${told}; or let it count as 0 dollars with --allow-unpriced`,
  );
}
