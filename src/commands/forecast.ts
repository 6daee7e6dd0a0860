import { attemptPrompt, systemPrompt } from '../agent/prompt.ts';
import type { Genome } from '../genome/genome.ts';
import { costOf } from '../llm/budget.ts';
import type { Profile } from '../llm/profile.ts';
import type { Task } from '../suite/suite.ts';

/** What is to be done: counts. `mutations` and `critiques` are calls that are planned, without repairs. */
export type Workload = {
  trials: number;
  mutations: number;
  critiques: number;
  /** Generations, at whose barriers all wait for the slowest; 1 for a single one. */
  generations: number;
};

/** What it takes to have models do it: the mean to expect, no bound. */
export type Forecast = {
  calls: number;
  tokensIn: number;
  tokensOut: number;
  /** Null where a price is unknown. Input is priced as if nothing were cached. */
  usd: number | null;
  /** Waiting for models alone: jobs come on top. */
  seconds: number;
};

/** Who does it, on what. */
export type Setup = {
  tasks: readonly Task[];
  /** The baseline: candidates are taken to be like it. */
  genome: Genome;
  profiles: Record<'agent' | 'mutator' | 'critic', Profile>;
  /** Trials, and model calls, in flight at most. */
  concurrency: number;
  calls: number;
};

/**
 * Seen in 108 trials of the offline model (baseline, the search and validation tasks of Mini-MLE, three seeds): 15.2
 * calls, 43,000 tokens in and 3,600 out a trial. It is taken that a real model works in the same way.
 */
const SEEN = {
  /** Of the turns allowed, those that were used, and those that went into the first attempt. */
  used: 0.75,
  firstAttempt: 0.63,
  /** Attempts that gave a submission, each with a note and the start of a new conversation. */
  scored: 1.7,
  /** Tokens of a reply with its calls, of a note, and of what the tools answer to a reply, status line included. */
  reply: 266,
  note: 20,
  result: 153,
  /** What stands early is sent again most, and whole files are written early; attempts differ in length. */
  early: 1.4,
} as const;

/** Not measured: nothing here was tried on a real model. */
const GUESSED = {
  /** English and code; the offline model counts exactly so. */
  charactersAToken: 4,
  /** A tool's name, description and parameters. */
  tool: 75,
  /** Thinking before a reply of the agent, and before an edit or a lesson. */
  thinking: 600,
  longThinking: 2500,
  /** An edit, a lesson. */
  edit: 600,
  lesson: 250,
  /** Edits that have to be asked for again. */
  repaired: 0.15,
} as const;

/** Characters of the prompts of mutator and critic: what always stands there, each trace at most, and how many. */
const PROMPTS = {
  mutator: { fixed: 18_000, trace: 12_000, traces: 5, bodies: 30_000 },
  critic: { fixed: 14_000, trace: 18_000, traces: 2 },
} as const;

/**
 * Calls, tokens, dollars and seconds that a workload takes: the length of the prompts by the texts of suite and genome,
 * the course of a trial as it was seen of the offline model (`SEEN`), thinking as guessed (`GUESSED`). Pure.
 */
export function forecastOf(work: Workload, setup: Setup): Forecast {
  const { agent, mutator, critic } = setup.profiles;
  const trial = trialForecast(setup);
  const parts = [
    { profile: agent, times: work.trials, each: trial },
    { profile: mutator, times: work.mutations, each: mutationForecast(setup, trial.transcript) },
    { profile: critic, times: work.critiques, each: critiqueForecast(setup, trial.transcript) },
  ];
  const sum = (value: (part: (typeof parts)[number]) => number) =>
    parts.reduce((total, part) => total + (part.times === 0 ? 0 : part.times * value(part)), 0);
  const unpriced = parts.some(({ profile, times }) => times > 0 && profile.price === null);
  return {
    calls: Math.round(sum(({ each }) => each.calls)),
    tokensIn: Math.round(sum(({ each }) => each.tokensIn)),
    tokensOut: Math.round(sum(({ each }) => each.tokensOut)),
    usd: unpriced ? null : sum(({ each, profile }) => costOf(each, profile.price)),
    seconds: secondsOf(parts, work.generations, setup),
  };
}

/** What a forecast rests on, in one sentence. */
export function forecastBasis(setup: Setup): string {
  const { calls, tokensIn, tokensOut } = trialForecast(setup);
  const thousands = (tokens: number) => `${Math.max(1, Math.round(tokens / 1000))}k`;
  const trial = `${Math.round(calls)} calls, ${thousands(tokensIn)} tokens in and ${thousands(tokensOut)} out a trial`;
  const basis = 'by the texts of suite and baseline and the course of trials of the offline model';
  if (setup.profiles.agent.name === 'offline') return `${trial}, ${basis}`;
  const thinking = setup.profiles.agent.thinking === 'none' ? '' : 'thinking is guessed, ';
  return `${trial}, ${basis}; ${thinking}nothing is taken to be cached, and a real model may need half or several times as much`;
}

type Share = { calls: number; tokensIn: number; tokensOut: number };

/**
 * A trial: one long first attempt, then short ones; each call sends the conversation so far again. `transcript` is what
 * it leaves to read, in characters.
 */
function trialForecast({ tasks, genome, profiles }: Setup): Share & { transcript: number } {
  const profile = profiles.agent;
  const turns = mean(tasks.map(({ limits }) => Math.min(limits.turns, genome.limits.turns)));
  const jobs = mean(tasks.map(({ limits }) => Math.min(limits.jobs, genome.limits.jobs)));
  const used = SEEN.used * turns;
  const first = SEEN.firstAttempt * turns;
  const scored = Math.min(SEEN.scored, jobs, used);
  const noted = genome.memory.notes > 0 ? scored : 0;
  const later = scored === 0 ? 0 : (used - first + noted) / scored;

  const opening = tokens(systemPrompt(genome).length + mean(tasks.map((task) => openingOf(task).length)));
  const shownNotes =
    (Math.min(genome.memory.notes, scored) * Math.min(genome.memory.chars, 4 * SEEN.note)) / 4;
  // The offline model does not count its tools; endpoints do.
  const tools = Object.values(genome.tools).filter(Boolean).length;
  const schemas = profile.name === 'offline' ? 0 : GUESSED.tool * tools;
  const think = thinkingOf(profile, GUESSED.thinking);
  const written = Math.min(genome.sampling.max_tokens, SEEN.reply + think);
  const keeps = profile.thinking === 'send-back' ? written : Math.min(written, SEEN.reply);
  const growth = SEEN.early * (keeps + SEEN.result);
  const conversation = (start: number, calls: number) =>
    calls * start + growth * Math.max(0, (calls * (calls - 1)) / 2);

  const sent =
    conversation(opening, first) + scored * conversation(opening + shownNotes + SEEN.result, later);
  return {
    calls: used + noted,
    tokensIn: sent + used * schemas,
    tokensOut: used * written + noted * Math.min(genome.sampling.max_tokens, SEEN.note + think),
    transcript: GUESSED.charactersAToken * (opening + used * (SEEN.reply + SEEN.result)),
  };
}

/** One edit: the harness, the scorecard and up to four traces; some have to be asked for twice. */
function mutationForecast({ genome, profiles }: Setup, transcript: number): Share {
  const { fixed, trace, traces, bodies } = PROMPTS.mutator;
  const rules = Object.values(genome.rules).reduce((sum, { text }) => sum + text.length, 0);
  const skills = Object.values(genome.skills).reduce((sum, { body }) => sum + body.length, 0);
  const characters = fixed + rules + Math.min(bodies, skills) + traces * Math.min(trace, transcript);
  const calls = 1 + GUESSED.repaired;
  const written = GUESSED.edit + thinkingOf(profiles.mutator, GUESSED.longThinking);
  return { calls, tokensIn: calls * tokens(characters), tokensOut: calls * written };
}

/** The lessons of one trial, read beside the baseline's. */
function critiqueForecast({ profiles }: Setup, transcript: number): Share {
  const { fixed, trace, traces } = PROMPTS.critic;
  const written = GUESSED.lesson + thinkingOf(profiles.critic, GUESSED.longThinking);
  return { calls: 1, tokensIn: tokens(fixed + traces * Math.min(trace, transcript)), tokensOut: written };
}

/**
 * The calls of a trial come one after the other, trials run side by side; edits come before the trials of a generation
 * and lessons after them, each side by side.
 */
function secondsOf(
  parts: readonly { profile: Profile; times: number; each: Share }[],
  generations: number,
  { concurrency, calls }: Setup,
): number {
  return parts.reduce((total, { profile, times, each }, i) => {
    if (times === 0) return total;
    const { firstSeconds, tokensPerSecond } = profile.pace;
    const alone = each.calls * firstSeconds + each.tokensOut / tokensPerSecond;
    const abreast = i === 0 ? Math.min(concurrency, calls) : calls;
    const rounds = Math.max(1, generations);
    // At least one after the other at each barrier, and no faster than the lanes there are.
    return total + alone * Math.max(Math.min(times, rounds), times / Math.max(1, abreast));
  }, 0);
}

function openingOf(task: Task): string {
  return attemptPrompt({ task, number: 1, notes: [], files: [], lastResult: '' });
}

function thinkingOf({ thinking }: Profile, much: number): number {
  return thinking === 'none' ? 0 : much;
}

function tokens(characters: number): number {
  return characters / GUESSED.charactersAToken;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
}
