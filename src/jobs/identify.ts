import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hashJson } from '../json.ts';
import { listInputs } from './inputs.ts';
import type { JobSpec } from './job.ts';

/**
 * The name of what a job computes, 24 hex digits: a hash of its input files (path, content, executable or not),
 * data, command, outputs, limits, GPUs and what else its spec says, and Node's major version. Not in it: where the folder lies, the trial, its
 * seed, the time. Throws when the folder cannot be read.
 */
export function identify(spec: JobSpec): string {
  const files = listInputs(spec.folder, spec.outputs).map((path) => {
    const file = join(spec.folder, path);
    const executable = (statSync(file).mode & 0o111) !== 0;
    return [path, createHash('sha256').update(readFileSync(file)).digest('hex'), executable];
  });
  const { folder: _folder, data, retries: _retries, ...rest } = spec;
  return hashJson({ ...defined(rest), files, data: data.hash, node: nodeMajor }, 24);
}

const nodeMajor = Number(process.versions.node.split('.')[0]);

/** Without members that are undefined: to say nothing and to leave out is the same. */
function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>;
}
