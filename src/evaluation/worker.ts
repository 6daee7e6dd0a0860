import { join } from 'node:path';
import { type MessagePort, threadId } from 'node:worker_threads';
import type { Llm } from '../llm/llm.ts';
import type { Profile } from '../llm/profile.ts';
import { withReplay } from '../llm/replay.ts';
import { protect } from '../secrets.ts';
import { callHost, type HostLine } from './host.ts';
import { runTrial, type TrialReport } from './run-trial.ts';
import type { TrialInput } from './schedule.ts';

/** A trial, as it is sent to a worker thread. `port` is transferred; the rest is JSON. */
export type WorkerInput = TrialInput & {
  model: string;
  /**
   * Where the model is: in this thread for the offline one, which works in process, and for one that a module (its URL)
   * makes; else with the main thread, which owns the money.
   */
  llm: 'offline' | 'host' | { module: string };
  profile: Profile | null;
  /** Names of secret variables that their names do not give away. */
  secrets: string[];
  port: MessagePort;
};

/** What a worker thread does: runs a trial and reports. Never throws; ends early when the port closes. */
export default async function workOnTrial(input: WorkerInput): Promise<TrialReport> {
  const { genome, task, spec, folder, prune, model, profile, secrets, port } = input;
  protect(secrets);
  const host = callHost(port, threadId);
  try {
    const llm = input.llm === 'host' ? host.ask : await ownLlm(input, host);
    return await runTrial(genome, task, spec, {
      folder,
      llm,
      model,
      profile,
      prune,
      runJob: host.runJob,
      signal: host.signal,
    });
  } catch (error) {
    return { kind: 'crashed', stack: error instanceof Error ? String(error.stack) : String(error) };
  } finally {
    host.close();
  }
}

/** A model in this thread; its replies are kept here, those of the host's model there. */
async function ownLlm({ model, llm, folder }: WorkerInput, host: HostLine): Promise<Llm> {
  const url = typeof llm === 'object' ? llm.module : null;
  const making = made.get(`${url} ${model}`) ?? makeLlm(model, url);
  made.set(`${url} ${model}`, making);
  const ask = await making;
  const counted: Llm = (request) => {
    host.called();
    return ask(request);
  };
  return withReplay(counted, join(folder, 'calls.jsonl'));
}

/** One model a thread: it has no state, and its client keeps its connections. */
const made = new Map<string, Promise<Llm>>();

async function makeLlm(model: string, module: string | null): Promise<Llm> {
  if (module !== null) return (await import(module)).llm(model);
  return (await import('../offline/offline-llm.ts')).offlineLlm();
}
