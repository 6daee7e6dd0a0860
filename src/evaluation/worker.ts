import { type MessagePort, threadId } from 'node:worker_threads';
import type { Llm } from '../llm/llm.ts';
import { callHost } from './host.ts';
import { runTrial, type TrialReport } from './run-trial.ts';
import type { TrialInput } from './schedule.ts';

/** A trial, as it is sent to a worker thread. `port` is transferred; the rest is JSON. */
export type WorkerInput = TrialInput & {
  model: string;
  /** URL of a module whose `llm(model)` makes the model; null for the built-in ones. */
  llmModule: string | null;
  port: MessagePort;
};

/** What a worker thread does: runs a trial and reports. Never throws; ends early when the port closes. */
export default async function workOnTrial(input: WorkerInput): Promise<TrialReport> {
  const { genome, task, spec, folder, model, port } = input;
  const host = callHost(port, threadId);
  try {
    const ask = await llmOf(model, input.llmModule);
    const llm: Llm = (request) => {
      host.called();
      return ask(request);
    };
    return await runTrial(genome, task, spec, {
      folder,
      llm,
      model,
      runJob: host.runJob,
      signal: host.signal,
    });
  } catch (error) {
    return { kind: 'crashed', stack: error instanceof Error ? String(error.stack) : String(error) };
  } finally {
    host.close();
  }
}

const made = new Map<string, Promise<Llm>>();

/** One model a thread: it has no state, and its client keeps its connections. */
function llmOf(model: string, llmModule: string | null): Promise<Llm> {
  const key = `${llmModule} ${model}`;
  const known = made.get(key) ?? makeLlm(model, llmModule);
  made.set(key, known);
  return known;
}

async function makeLlm(model: string, llmModule: string | null): Promise<Llm> {
  if (llmModule !== null) return (await import(llmModule)).llm(model);
  if (model === 'offline') return (await import('../offline/offline-llm.ts')).offlineLlm();
  throw new Error(`no model "${model}"`);
}
