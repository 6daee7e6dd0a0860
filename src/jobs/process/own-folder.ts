import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';

/**
 * Makes a folder for this user alone, where there is none. Throws where another has it: in a folder for all, `/tmp` or
 * `/dev/shm`, anybody could have put one of that name, or a link, there before us.
 */
export function makeOwnFolder(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const { uid } = userInfo();
  const [there, behind] = [lstatSync(dir), statSync(dir)];
  if (there.uid !== uid || behind.uid !== uid) throw new Error(`${dir} is not a folder of ours`);
}
