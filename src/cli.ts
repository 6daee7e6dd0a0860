#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Help, Option } from 'commander';
import { type Context, EXIT } from './commands/context.ts';
import { type Given, readConfig, SETTINGS } from './config.ts';
import { messageOf, UserError } from './errors.ts';
import { didYouMean } from './suggest.ts';

const EXAMPLES = `Examples:
  evolve --population 16 --generations 50           evolve the founders in genomes/, and read who won
  evolve --population 6 --generations 3 --dry-run   what such a run would do, without doing it
  evolve resume runs/2026-01-31-1                   go on where a run was stopped
  evolve show runs/2026-01-31-1 champion            the winner: its genes, its ancestry
  evolve trial --genome genomes/baseline            no search, just measure one genome
`;

/** What a later call may change without making another run of it. */
const EXTENDABLE = [
  'suite',
  'genomes',
  'generations',
  'workers',
  'concurrency',
  'budget-usd',
  'budget-trials',
  'max-time',
  'job-cache',
];

const context: Context = {
  interruption,
  print: (text) => void process.stdout.write(`${text}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
};

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has gone (`evolve show … | head`): nothing is left to say.
    if (error.code === 'EPIPE') process.exit(EXIT.finished);
    throw error;
  });
}

main(process.argv.slice(2)).then(
  (code) => leave(code),
  (error) => leave(explain(error)),
);

/** Parses `argv` and runs its command; resolves with the exit code. */
async function main(argv: string[]): Promise<number> {
  let code: number = EXIT.finished;
  const program = build((result) => {
    code = result;
  });
  const names = program.commands.map((command) => command.name());
  const first = argv[0];
  if (first !== undefined && !first.startsWith('-') && ![...names, 'help'].includes(first)) {
    throw new UserError(
      `unknown command '${first}'${didYouMean(first, names)}`,
      `commands: ${names.join(', ')}`,
    );
  }
  await program.parseAsync(argv, { from: 'user' });
  return code;
}

function build(done: (code: number) => void): Command {
  const program = new Command('evolve')
    .description('Evolves a population of agent harnesses, and says whether the winner is really better.')
    .version(version(), '-V, --version')
    .addHelpText('before', EXAMPLES)
    .addHelpText(
      'after',
      '\n`evolve --population 16` is short for `evolve run --population 16`; see `evolve run --help`.',
    )
    .showSuggestionAfterError()
    .configureHelp({
      helpWidth: 110,
      subcommandTerm: (command) => new Help().subcommandTerm(command).replace('[options] ', ''),
    })
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .exitOverride();
  /** Adds a subcommand whose action gets (operands, flags given on the command line). */
  const add = (
    usage: string,
    about: string,
    act: (operands: string[], flags: Given) => Promise<number>,
    isDefault = false,
  ): Command => {
    const command = program.command(usage, { isDefault }).description(about).allowExcessArguments(false);
    command.action(async () => {
      const flags = Object.entries(command.opts()).filter(
        ([name]) => command.getOptionValueSource(name) === 'cli',
      );
      done(await act(command.args, Object.fromEntries(flags)));
    });
    return command;
  };

  const run = add(
    'run',
    'evolve a population (the default command)',
    async (_, { json, quiet, dryRun, ...settings }) => {
      const config = await readConfig(settings);
      const output = { json: json === true, quiet: quiet === true, dryRun: dryRun === true };
      return (await import('./commands/run.ts')).run(config, output, context);
    },
    true,
  );
  withSettings(run, () => true);
  run
    .option('--config <FILE>', 'settings by name, in JSON or YAML; flags win')
    .option('--dry-run', 'say what would be done, and do nothing');
  withOutput(run).addHelpText('before', EXAMPLES);

  const resume = add(
    'resume <RUN>',
    'go on with a run that was stopped, or extend one that is finished',
    async ([folder], flags) => (await import('./commands/resume.ts')).resume(folder!, flags, context),
  );
  withSettings(resume, (name) => EXTENDABLE.includes(name));
  withOutput(resume);

  add('report <RUN>', "write report.md and report.json into the run's folder", async ([folder], flags) =>
    (await import('./commands/report.ts')).report(folder!, flags, context),
  ).option('--json', 'print report.json on stdout');
  add('compare <RUN...>', 'runs, or lineages of one run (RUN#LINEAGE), side by side', async (runs, flags) =>
    (await import('./commands/compare.ts')).compare(runs, flags, context),
  ).option('--json', 'one JSON document on stdout');
  add(
    'show <RUN> <CANDIDATE>',
    'a genome of a run, its ancestry, the diff to its parent',
    async ([folder, name], flags) =>
      (await import('./commands/show.ts')).show(folder!, name!, flags, context),
  ).option('--json', 'one JSON document on stdout');

  const trial = add('trial', 'no search, just measure one genome', async (_, flags) =>
    (await import('./commands/trial.ts')).trial(flags, context),
  );
  trial
    .option('--genome <DIR>', 'the genome, such as genomes/baseline')
    .option('--task <ID>', 'one task; else all search and validation tasks')
    .option('--role <ROLE>', 'the tasks of one role: search, validation or sealed')
    .option('--repeats <K>', 'trials on each task (3)')
    .option('--keep <DIR>', "where the trials' folders stay; else they are removed");
  withSettings(trial, (name) =>
    ['suite', 'model', 'seed', 'workers', 'concurrency', 'job-cache'].includes(name),
  );
  withOutput(trial);
  return program;
}

function withSettings(command: Command, choose: (name: string) => boolean): Command {
  for (const { name, kind, value, about, group } of SETTINGS) {
    if (!choose(name)) continue;
    const flags = kind === 'switch' ? `--no-${name}` : `--${name} <${value}>`;
    const option = new Option(flags, kind === 'switch' ? `do not ${about}` : about);
    command.addOption(group === 'search' ? option.helpGroup('Search:') : option);
  }
  return command;
}

function withOutput(command: Command): Command {
  return command
    .option('--json', 'print one JSON document on stdout')
    .option('--quiet', 'no progress on stderr');
}

/** From here on the first Ctrl-C (or SIGTERM) asks the command to stop, and the second ends the process. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(EXIT.interrupted);
      controller.abort();
    });
  }
  return controller.signal;
}

/** Says what went wrong on stderr; gives the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.finished;
    const [line = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
    return complain(
      line,
      suggestion.replace(/^\((.*)\)$/, '$1').replace(/^Did/, 'did') || 'see evolve --help',
    );
  }
  if (error instanceof UserError) return complain(error.message, error.hint, error.exitCode);
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    return complain(
      'the disk is full',
      'free some space, then `evolve resume` the run: what it has is kept',
      4,
    );
  }
  context.note(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
  context.note('evolve: this is a fault of evolve itself; `evolve resume` goes on from the last checkpoint');
  return EXIT.internal;
}

function complain(message: string, hint: string, code: number = EXIT.usage): number {
  context.note(`evolve: ${message}${hint ? `; ${hint}` : ''}`);
  return code;
}

/** Ends the process after stdout has been read: a pipe would lose what `process.exit` cuts off. */
function leave(code: number): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

function version(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
