import { OFFLINE, type RunConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import { isLoopback, readBaseURL } from '../llm/address.ts';
import type { Purpose } from '../llm/ledger-book.ts';
import { readKey } from '../llm/preflight.ts';
import type { Profile } from '../llm/profile.ts';
import { profileOf } from '../llm/profiles.ts';
import { frozenGenes } from '../llm/wire.ts';
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

/** In the order in which people are told of them. */
export const PURPOSES: readonly Purpose[] = ['agent', 'mutator', 'critic'];

/**
 * Who plays which role, by the settings and the environment; nothing is asked of an endpoint. Throws a `UserError` for
 * an address that is none.
 */
export function partiesOf(config: RunConfig, env = process.env): Parties {
  const parties = Object.fromEntries(PURPOSES.map((role) => [role, partyOf(role, config, env)])) as Record<
    Purpose,
    Party
  >;
  protect(PURPOSES.map((role) => parties[role].keyVariable));
  return { ...parties, frozen: frozenGenes(parties.agent.profile) };
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
  if (keyVariable !== null && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(keyVariable)) {
    throw new UserError(
      `--${role}-key-variable is not the name of a variable`,
      'give the name, such as MUTATOR_API_KEY; the key itself belongs into that variable',
    );
  }
  const party = {
    model,
    told: baseUrl === null ? 'OPENAI_BASE_URL' : `--${role}-base-url`,
    profile: profileOf(model, config.profiles),
    keyVariable: keyVariable ?? 'OPENAI_API_KEY',
  };
  if (baseUrl === null && model === OFFLINE) return { ...party, baseURL: null };
  if (baseUrl === null) return { ...party, baseURL: ownEndpoint(model, config, env) };
  const baseURL = readBaseURL(baseUrl, party.told);
  if (keyVariable === null && model !== OFFLINE) refuseForeignKey(role, baseURL, env);
  return { ...party, baseURL };
}

const OPENAI = 'https://api.openai.com/v1';

/** Where OPENAI_BASE_URL says; without it OpenAI itself, for its own models: no other provider's key goes there. */
function ownEndpoint(model: string, { replay }: RunConfig, env: NodeJS.ProcessEnv): string {
  if (env.OPENAI_BASE_URL) return readBaseURL(env.OPENAI_BASE_URL, 'OPENAI_BASE_URL');
  if (/^(gpt-|chatgpt-|o\d|ft:)/.test(model) || replay !== null) return OPENAI;
  throw new UserError(
    `OPENAI_BASE_URL is not set, and ${model} is none of OpenAI's models`,
    'say where it is, for example OPENAI_BASE_URL=https://api.minimax.io/v1',
  );
}

/** The key for one host goes to no other unasked; among servers on this machine there is nothing to leak. */
function refuseForeignKey(role: Purpose, baseURL: string, env: NodeJS.ProcessEnv): void {
  const own = readBaseURL(env.OPENAI_BASE_URL || OPENAI, 'OPENAI_BASE_URL');
  if (new URL(own).host === new URL(baseURL).host || (isLoopback(own) && isLoopback(baseURL))) return;
  throw new UserError(
    `--${role}-base-url is another host than OPENAI_BASE_URL, whose key is no business of it`,
    `say by --${role}-key-variable which variable holds its key`,
  );
}
