import { UserError } from '../errors.ts';

/** What the operating system's codes mean to a person, and which are the machine's fault rather than the call's. */
const MEANING: Record<string, { text: string; exitCode: 2 | 4; hint: string }> = {
  ENOSPC: { text: 'the disk is full', exitCode: 4, hint: 'Free some space' },
  EDQUOT: { text: 'the disk quota is used up', exitCode: 4, hint: 'Free some space' },
  EFBIG: { text: 'the file would exceed the size limit', exitCode: 4, hint: 'Raise the limit (ulimit -f)' },
  EIO: { text: 'the disk reports an error', exitCode: 4, hint: 'Check the disk' },
  EMFILE: { text: 'too many files are open', exitCode: 4, hint: 'Raise the limit (ulimit -n)' },
  EROFS: { text: 'the file system is read-only', exitCode: 2, hint: 'Give another --out' },
  EACCES: { text: 'permission denied', exitCode: 2, hint: 'Give another --out, or change its permissions' },
  EPERM: { text: 'not permitted', exitCode: 2, hint: 'Give another --out, or change its permissions' },
  ENOTDIR: { text: 'a part of the path is a file', exitCode: 2, hint: 'Give another --out' },
};

/**
 * The error to throw when `path` cannot be written: for a full disk a `UserError` with exit code 4 (the run can
 * be resumed), for a place that one may not write to with exit code 2. What is no error of the operating system
 * passes through unchanged.
 */
export function storageError(path: string, error: unknown): unknown {
  const { code, syscall, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (!code || !syscall) return error;
  const known = MEANING[code];
  return new UserError(
    `${path} cannot be written: ${known?.text ?? message}`,
    known?.exitCode === 2
      ? `${known.hint}.`
      : `${known?.hint ?? 'Mend that'}, then give the same command again: what is journalled is kept, and the run goes on from there.`,
    known?.exitCode ?? 4,
  );
}
