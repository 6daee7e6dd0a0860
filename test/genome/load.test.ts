import { mkdir, mkdtemp, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { loadGenome } from '../../src/genome/load.ts';
import { saveGenome } from '../../src/genome/save.ts';
import { plainGenome } from '../fixtures/genomes.ts';
import { writeFiles } from '../fixtures/tiny-suite.ts';

let root: string;
let dir: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'genome-'));
  dir = join(root, 'mine');
  const skill = { description: 'Grows trees.', body: '# Trees', files: { 'references/more.md': 'More.' } };
  await saveGenome(plainGenome({ skills: { trees: skill } }), dir);
});
afterEach(() => rm(root, { recursive: true }));

const SKILL = '---\nname: trees\ndescription: Grows trees.\n---\nBody\n';

async function refusal(): Promise<UserError> {
  const error = await loadGenome(dir).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message, hint } = error as UserError;
  expect(message).toContain(dir);
  expect(message).not.toContain('\n');
  expect(hint).not.toBe('');
  return error as UserError;
}

describe('loadGenome', () => {
  it('refuses an empty skill folder, which would vanish', async () => {
    await mkdir(join(dir, 'skills', 'hollow'));
    expect((await refusal()).message).toBe(`${join(dir, 'skills', 'hollow')}: no SKILL.md`);
  });

  it('says that a folder of genomes is not a genome, and leaves its files alone', async () => {
    await expect(loadGenome(root)).rejects.toThrow(`${root}: a folder of genomes, not a genome`);
  });

  it('takes tools that are not named as on, and no other gene', async () => {
    const file = join(dir, 'genome.json');
    const genes = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...genes, tools: { run: false } }));
    const { tools } = await loadGenome(dir);
    expect(tools).toMatchObject({ run: false, train: true, submit: true });
    await writeFile(file, JSON.stringify({ ...genes, tools: undefined, loop: { action: 'off', window: 4 } }));
    expect((await refusal()).message).toBe(`${file}: loop.similarity is missing`);
  });

  it('reads files that were written with CRLF and a byte order mark', async () => {
    await writeFile(join(dir, 'rules/crlf.md'), '\uFEFF---\r\nwhen: start\r\n---\r\nOne.\r\nTwo.\r\n');
    await writeFile(join(dir, 'skills/trees/references/more.md'), 'One.\r\nTwo.\r\n');
    await writeFile(join(dir, 'genome.json'), `\uFEFF${await readFile(join(dir, 'genome.json'), 'utf8')}`);
    const genome = await loadGenome(dir);
    expect(genome.rules.crlf).toEqual({ when: 'start', text: 'One.\nTwo.' });
    expect(genome.skills.trees!.files).toEqual({ 'references/more.md': 'One.\nTwo.\n' });
  });

  const genes = (change: (genes: Record<string, Record<string, unknown>>) => void) => async () => {
    const file = join(dir, 'genome.json');
    const record = JSON.parse(await readFile(file, 'utf8'));
    change(record);
    await writeFile(file, JSON.stringify(record));
  };
  const file = (path: string, text: string) => () => writeFiles(dir, { [path]: text });
  it.each<[string, () => Promise<unknown>, string]>([
    ['no genome.json', () => rm(join(dir, 'genome.json')), 'mine: no genome.json'],
    ['broken JSON', file('genome.json', '{\n"sampling": 1,}'), 'genome.json: line 2: not JSON'],
    ['a list', file('genome.json', '[]'), 'genome.json: not a JSON object'],
    [
      'a gene out of range',
      genes((g) => {
        g.sampling!.temperature = 2.5;
      }),
      'genome.json: sampling.temperature is 2.5, outside 0 to 2',
    ],
    [
      'a gene of another type',
      genes((g) => {
        g.memory!.notes = 1.5;
      }),
      'genome.json: memory.notes must be a whole number, and is 1.5',
    ],
    [
      'an unknown gene',
      genes((g) => {
        g.sampling!.temprature = 1;
      }),
      'sampling.temprature is unknown (did you mean "temperature"?)',
    ],
    [
      'an unknown section',
      genes((g) => {
        g.limit = {};
      }),
      'limit is unknown (did you mean "limits"?)',
    ],
    [
      'an unknown tool',
      genes((g) => {
        g.tools!.trian = true;
      }),
      'tools.trian is unknown (did you mean "train"?)',
    ],
    [
      'an unknown action',
      genes((g) => {
        g.loop!.action = 'wanr';
      }),
      'loop.action is "wanr" (did you mean "warn"?), not one of off, warn, switch, stop',
    ],
    ['rules in genome.json', genes((g) => Object.assign(g, { rules: {} })), '"rules" does not belong here'],
    [
      'front matter not YAML',
      file('rules/r.md', '---\nwhen: [start\n---\nx\n'),
      'rules/r.md: line 3: broken',
    ],
    ['front matter not closed', file('rules/r.md', '---\nwhen: start\nx\n'), 'rules/r.md: line 1: the front'],
    ['no front matter', file('rules/r.md', 'x\n'), 'rules/r.md: line 1: no front matter'],
    ['a tag in the front matter', file('rules/r.md', '---\nwhen: !!js/function x\n---\nx'), 'Unresolved tag'],
    ['executable front matter', file('rules/r.md', '---js\nprocess.exit(9)\n---\nx'), 'no front matter'],
    [
      'an unknown trigger',
      file('rules/r.md', '---\nwhen: alway\n---\nx\n'),
      '"alway" (did you mean "always"?)',
    ],
    ['an unknown field', file('rules/r.md', '---\nwhen: start\nif: x\n---\nx\n'), 'unknown field "if"'],
    ['an empty rule', file('rules/r.md', '---\nwhen: start\n---\n'), 'rules/r.md: rules.r text is empty'],
    [
      'a long rule',
      file('rules/r.md', `---\nwhen: start\n---\n${'x'.repeat(2001)}`),
      'text has 2001 characters',
    ],
    [
      'a rule with a bad name',
      file('rules/My_Rule.md', '---\nwhen: start\n---\nx'),
      'rules.My_Rule must be a name',
    ],
    ['a name other than the folder', file('skills/tree/SKILL.md', SKILL), 'must equal its folder, "tree"'],
    [
      'a name in capitals',
      file('skills/Trees/SKILL.md', SKILL.replace('trees', 'Trees')),
      '"Trees" must be 1 to 64',
    ],
    ['a hyphen at the end', file('skills/x-/SKILL.md', SKILL.replace('trees', 'x-')), '"x-" must be 1 to 64'],
    [
      'a doubled hyphen',
      file('skills/x--y/SKILL.md', SKILL.replace('trees', 'x--y')),
      '"x--y" must be 1 to 64',
    ],
    [
      'a long name',
      file(`skills/${'x'.repeat(65)}/SKILL.md`, SKILL.replace('trees', 'x'.repeat(65))),
      'must be 1 to 64',
    ],
    ['no name', file('skills/trees/SKILL.md', SKILL.replace('name: trees\n', '')), '"name" is missing'],
    ['no description', file('skills/trees/SKILL.md', '---\nname: trees\n---\n'), '"description" is missing'],
    [
      'a long description',
      file('skills/trees/SKILL.md', SKILL.replace('Grows trees.', 'x'.repeat(1025))),
      'the description has 1025 characters',
    ],
    [
      'a tag in the description',
      file('skills/trees/SKILL.md', SKILL.replace('Grows', 'Grows <b>')),
      '"<" or ">"',
    ],
    ['a skill without SKILL.md', file('skills/other/notes.md', 'x'), 'skills/other: no SKILL.md'],
    ['a foreign file', file('readme.txt', 'x'), 'readme.txt: not a part of a genome'],
    ['a foreign file among rules', file('rules/deep/r.md', 'x'), 'rules/deep/r.md: not a part of a genome'],
    ['a hidden file of a skill', file('skills/trees/.env', 'KEY=1'), 'files..env must be a relative path'],
    [
      'a control character',
      file('rules/r.md', '---\nwhen: start\n---\na\u0007b'),
      'without control characters',
    ],
    [
      'a secret in mcp.json',
      file('mcp.json', '{"mcpServers":{"x":{"command":"x","env":{"KEY":"abc"}}}}'),
      'mcp.json: mcp.x env.KEY must be a reference to the environment',
    ],
    [
      'a secret in the arguments',
      file('mcp.json', '{"mcpServers":{"x":{"command":"x","args":["--token=abc"]}}}'),
      'mcp.json: mcp.x args.0 looks like a secret',
    ],
    ['an mcp.json of another form', file('mcp.json', '{"servers":{}}'), 'it must hold "mcpServers"'],
    [
      'bytes that are not text',
      () => writeFile(join(dir, 'skills/trees/x.bin'), Buffer.from([0xff, 0xfe, 0])),
      'x.bin: not text in UTF-8',
    ],
    [
      'a symbolic link to a file',
      () => symlink('/etc/hostname', join(dir, 'rules/link.md')),
      'link.md: a symbolic link',
    ],
    [
      'a symbolic link to a folder',
      () => symlink('/etc', join(dir, 'skills/etc')),
      'skills/etc: a symbolic link',
    ],
  ])('refuses %s', async (_, damage, message) => {
    await damage();
    expect((await refusal()).message).toContain(message);
  });

  it('refuses a folder that is missing, a file, and a link', async () => {
    await rename(dir, join(root, 'real'));
    expect((await refusal()).message).toBe(`${dir}: no such folder`);
    await symlink(join(root, 'real'), dir);
    expect((await refusal()).message).toBe(`${dir}: a symbolic link`);
    await rm(dir);
    await writeFile(dir, '');
    expect((await refusal()).message).toBe(`${dir}: not a folder`);
  });

  it('refuses a file of 100 MB by its size, and too many files', async () => {
    const big = join(dir, 'skills/trees/data.csv');
    await writeFile(big, '');
    await truncate(big, 100_000_000);
    expect((await refusal()).message).toBe(`${big}: 100.0 MB, more than 1 MB`);
    await rm(big);
    await mkdir(join(dir, 'skills/trees/parts'));
    for (let i = 0; i < 6; i++) {
      const part = join(dir, `skills/trees/parts/${i}.csv`);
      await writeFile(part, '');
      await truncate(part, 900_000);
    }
    expect((await refusal()).message).toBe(`${dir}: more than 5 MB or 1000 files`);
  });
});
