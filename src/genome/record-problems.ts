import type { Genome } from './genome.ts';

/** What fits with room to spare into the folder that `loadGenome` accepts. */
const MAX_BYTES = 4_000_000;

/** Looks like a secret written out: a flag that hands one over, or a prefix that providers give their keys. */
const SECRETS = [
  /^--?(api[-_]?key|token|secret|password|auth)[=:](?!\$\{[A-Za-z_]\w*\}$)/i,
  /\b(sk|pk|rk|ghp|gho|ghs|xox[abp]|hf)[-_][A-Za-z0-9_-]{16,}/,
  /\b(AKIA|AIza)[A-Za-z0-9_-]{12,}/,
  /^bearer\s+(?!\$\{)/i,
];

/**
 * What a JSON Schema cannot say of a genome that is otherwise well formed: files of a skill that cannot lie in one
 * folder, secrets in the arguments of an MCP server, and a genome that is too large as a whole.
 */
export function recordProblems(genome: Genome): { path: string; message: string }[] {
  const problems: { path: string; message: string }[] = [];
  for (const [name, skill] of Object.entries(genome.skills)) {
    const clash = clashingFiles(Object.keys(skill.files));
    if (clash !== null) problems.push({ path: `skills.${name}`, message: clash });
  }
  for (const [name, { args = [] }] of Object.entries(genome.mcp ?? {})) {
    const flagged = args.findIndex((arg) => SECRETS.some((secret) => secret.test(arg)));
    if (flagged < 0) continue;
    problems.push({
      path: `mcp.${name}`,
      message: `args.${flagged} looks like a secret; write it as \${NAME}`,
    });
  }
  const bytes = Buffer.byteLength(JSON.stringify(genome));
  if (bytes > MAX_BYTES) problems.push({ path: '', message: `has ${bytes} bytes, more than ${MAX_BYTES}` });
  return problems;
}

/** Folders that are also files, and names that differ in case only, which some file systems cannot hold. */
function clashingFiles(paths: string[]): string | null {
  const nodes = new Map<string, string>();
  for (const path of paths) {
    const steps = path.split('/');
    for (let i = 1; i <= steps.length; i++) {
      const node = steps.slice(0, i).join('/') + (i < steps.length ? '/' : '');
      const key = node.toLowerCase().replace(/\/$/, '');
      const known = nodes.get(key);
      if (known !== undefined && (known !== node || i === steps.length)) {
        return `the files "${known}" and "${node}" cannot lie side by side`;
      }
      nodes.set(key, node);
    }
  }
  return null;
}
