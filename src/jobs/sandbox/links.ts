import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** A symbolic link of this machine, and what stands in it. */
export type Link = { at: string; to: string };

/** The links by which an absolute path leads to a file, in the order in which they are met, and that file. Throws where there is none. */
export function linksOf(path: string): { links: Link[]; file: string } {
  const links: Link[] = [];
  let rest = path.split('/');
  let file = '/';
  while (rest.length > 0) {
    const next = join(file, rest.shift() as string);
    if (!lstatSync(next).isSymbolicLink()) {
      file = next;
      continue;
    }
    const to = readlinkSync(next);
    links.push({ at: next, to });
    if (links.length > 40) throw new Error(`too many links from ${path}`);
    if (to.startsWith('/')) file = '/';
    rest = [...to.split('/'), ...rest];
  }
  return { links, file };
}
