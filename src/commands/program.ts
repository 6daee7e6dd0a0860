import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Help, Option } from 'commander';
import { PACKAGE_DIR, readConfig } from '../config.ts';
import { flagOf, type Given, SETTINGS } from '../settings.ts';
import type { Context } from './context.ts';

const EXAMPLES = `Examples:
  evolve --population 16 --generations 50           evolve the founders in genomes/, and read who won
  evolve --population 6 --generations 3 --dry-run   what such a run would do, without doing it
  evolve resume runs/2026-01-31-1                   go on where a run was stopped
  evolve status runs/2026-01-31-1                   how a run stands, and what its jobs do
  evolve show runs/2026-01-31-1 champion            the winner: its genes, its ancestry
  evolve attribute runs/2026-01-31-1                which of the champion's changes carried the gain
  evolve trial --genome genomes/baseline            no search, just measure one genome
`;

/** How models are called and what they may cost: no part of what a run or a measurement is. */
const CALLING = [
  'budget-usd',
  'budget-tokens',
  'allow-unpriced',
  'unsafe-no-sandbox',
  'calls',
  'attempts',
  'backoff',
  'call-timeout',
  'idle-timeout',
  'max-pause',
  'stream',
  'record',
  'replay',
];

/** What a later call may change without making another run of it. */
const EXTENDABLE = [
  'suite',
  'genomes',
  'generations',
  'workers',
  'concurrency',
  'budget-trials',
  'max-time',
  'jobs',
  'jobs-per-gpu',
  'job-cache',
  'mutator-base-url',
  'mutator-key-variable',
  'critic-base-url',
  'critic-key-variable',
  ...CALLING,
];

/** What matters to a measurement without a search. */
const MEASURING = [
  'suite',
  'model',
  'seed',
  'workers',
  'concurrency',
  'jobs',
  'jobs-per-gpu',
  'job-cache',
  ...CALLING,
];

/** How trials of a run that has ended are run again; what they are on is the run's. */
const LOOKING = MEASURING.filter((name) => name !== 'model' && name !== 'seed');

/**
 * The command line. Its commands are loaded when they are called, so that help and bad arguments answer at once;
 * `done` gets the exit code of the one that was.
 */
export function program(context: Context, done: (code: number) => void): Command {
  const evolve = new Command('evolve')
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
    parent = evolve,
  ): Command => {
    const command = parent.command(usage, { isDefault }).description(about).allowExcessArguments(false);
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
      return (await import('./run.ts')).run(config, output, context);
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
    'go on with a run that was stopped, extend it by more --generations, or end it with those that it has',
    async ([folder], flags) => (await import('./resume.ts')).resume(folder!, flags, context),
  );
  withSettings(resume, (name) => EXTENDABLE.includes(name));
  resume.option('--config <FILE>', 'settings by name, in JSON or YAML; flags win');
  withOutput(resume);

  add('report <RUN>', "write report.md and report.json into the run's folder", async ([folder], flags) =>
    (await import('./report.ts')).report(folder!, flags, context),
  ).option('--json', 'print report.json on stdout');
  add('compare <RUN...>', 'runs, or lineages of one run (RUN#LINEAGE), side by side', async (runs, flags) =>
    (await import('./compare.ts')).compare(runs, flags, context),
  ).option('--json', 'one JSON document on stdout');
  add(
    'show <RUN> <CANDIDATE>',
    'a genome of a run, its ancestry, the diff to its parent',
    async ([folder, name], flags) => (await import('./show.ts')).show(folder!, name!, flags, context),
  ).option('--json', 'one JSON document on stdout');
  add(
    'status <RUN>',
    'how a run stands: slots, jobs running and waiting, time used by lineage',
    async ([folder], flags) => (await import('./status.ts')).status(folder!, flags, context),
  )
    .option('--watch', 'show it anew every two seconds, until the run has ended')
    .option('--json', 'one JSON document on stdout');
  add(
    'logs <RUN> [JOB]',
    'what a job prints: JOB is the beginning of its name, or TRIAL/N; without it, a list of jobs',
    async ([folder, job], flags) => (await import('./logs.ts')).logs(folder!, job, flags, context),
  ).option('-f, --follow', 'go on until the job has ended');

  const trial = add('trial', 'no search, just measure one genome', async (_, flags) =>
    (await import('./trial.ts')).trial(flags, context),
  );
  trial
    .option('--genome <DIR>', 'the genome, such as genomes/baseline')
    .option('--task <ID>', 'one task; else all search and validation tasks')
    .option('--role <ROLE>', 'the tasks of one role: search or validation')
    .option('--repeats <K>', 'trials on each task (3)')
    .option('--config <FILE>', 'settings by name, in JSON or YAML; flags win')
    .option('--keep <DIR>', "where the trials' folders stay; else they are removed");
  withSettings(trial, (name) => MEASURING.includes(name));
  withOutput(trial);

  const attribute = add(
    'attribute <RUN>',
    'what carried the gain: each gene of the champion put back by itself, and measured',
    async ([folder], flags) => (await import('./attribute.ts')).attribute(folder!, flags, context),
  );
  attribute
    .option('--repeats <K>', 'trials of each genome on each task (so many as make about 2,000; 3 to 20)')
    .option('--dry-run', 'say how many trials it takes, and do nothing');
  withSettings(attribute, (name) => LOOKING.includes(name));
  withOutput(attribute);
  const prune = add(
    'prune <RUN>',
    'the smallest champion that is not worse: genes put back one after the other, and measured',
    async ([folder], flags) => (await import('./prune.ts')).prune(folder!, flags, context),
  );
  prune
    .option('--out <DIR>', 'where the genome goes, a new folder (RUN/pruned)')
    .option('--margin <X>', 'how much lower its mean score may be (0.01)')
    .option('--repeats <K>', 'trials of each genome on each task, as for attribute; twice as many at the end')
    .option('--dry-run', 'say how many trials it takes, and do nothing');
  withSettings(prune, (name) => LOOKING.includes(name));
  withOutput(prune);

  add('validate <PATH...>', 'check genomes, suites and configuration', async (paths, flags) =>
    (await import('./validate.ts')).validate(paths, flags, context),
  )
    .option(
      '--audit',
      'try the sealed tasks of suites with agents that know nothing; suite.json keeps the result',
    )
    .option('--json', 'one JSON document on stdout');
  add('doctor', 'what is here: node, sandbox, limits, GPUs, Slurm, Python, endpoint', async (_, flags) =>
    (await import('./doctor.ts')).doctor(flags, context),
  ).option('--json', 'one JSON document on stdout');

  const model = evolve
    .command('model')
    .description('`evolve model serve`: the offline model as an OpenAI-compatible endpoint')
    .allowExcessArguments()
    .action(async () => (await import('./serve.ts')).refuseAction(model.args[0]));
  add(
    'serve',
    'serve the offline model on loopback, until Ctrl-C',
    async (_, flags) => (await import('./serve.ts')).serve(flags, context),
    false,
    model,
  )
    .option('--port <N>', 'the port to listen on (8000); 0 for any free one')
    .option('--json', 'print the base URL in one JSON document on stdout');
  return evolve;
}

function withSettings(command: Command, choose: (name: string) => boolean): Command {
  const headings = { run: null, model: 'Models:', search: 'Search:' };
  for (const setting of SETTINGS) {
    if (!choose(setting.name)) continue;
    const option = new Option(flagOf(setting), setting.about);
    const heading = headings[setting.group];
    command.addOption(heading === null ? option : option.helpGroup(heading));
  }
  return command;
}

function withOutput(command: Command): Command {
  return command
    .option('--json', 'print one JSON document on stdout')
    .option('--quiet', 'no progress on stderr');
}

function version(): string {
  return (JSON.parse(readFileSync(join(PACKAGE_DIR, 'package.json'), 'utf8')) as { version: string }).version;
}
