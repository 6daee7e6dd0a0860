import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { redact } from '../secrets.ts';
import { storageError } from './storage-error.ts';

/**
 * Writes `text`, without values of secret variables, to `path` whole or not at all: to a temporary name beside it, fsynced, then renamed. On a full
 * disk it rejects with a `UserError` and the old file stays. (write-file-atomic 7.0.1 overlooks a short write:
 * on a full disk it resolves and puts a truncated file in place.)
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(redact(text));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw storageError(path, error);
  }
}

/** Makes names in a folder durable. Where folders cannot be fsynced (Windows), this does nothing. */
export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r').catch(() => null);
  if (!folder) return;
  try {
    await folder.sync();
  } catch {
    // Not all file systems allow it; the contents are safe all the same.
  } finally {
    await folder.close();
  }
}
