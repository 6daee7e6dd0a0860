import type { Findings } from './audit.ts';

/** How the sealed tasks of the suite that has this hash stood their audit; `audit` in suite.json. */
export type SealedAudit = { hash: string; tasks: Findings };

/** The audit as suite.json has it; undefined for anything else than an audit, which is then as good as none. */
export function readSealedAudit(value: unknown): SealedAudit | undefined {
  if (!isRecord(value) || typeof value.hash !== 'string' || !isRecord(value.tasks)) return undefined;
  const fits = Object.values(value.tasks).every((fault) => fault === null || isLine(fault));
  return fits ? { hash: value.hash, tasks: value.tasks as Findings } : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A line that a terminal can be shown. */
function isLine(value: unknown): boolean {
  return typeof value === 'string' && /^[ -~]{1,200}$/.test(value);
}
