#!/usr/bin/env node
import { CommanderError } from 'commander';
import { type Context, EXIT } from './commands/context.ts';
import { program } from './commands/program.ts';
import { messageOf, UserError } from './errors.ts';
import { redact } from './secrets.ts';
import { flushed, outliveReaders } from './stdio.ts';
import { didYouMean } from './suggest.ts';
import { wrapped } from './wrap.ts';

const stdout = outliveReaders();

const context: Context = {
  interruption() {
    process.on('SIGHUP', () => context.note('evolve: the terminal has gone; going on without it'));
    return stopSignal();
  },
  endOfWatching: () => AbortSignal.any([stopSignal(), stdout.failed]),
  print: (text) => void process.stdout.write(`${redact(text)}\n`),
  note: (text) => complain(wrapped(redact(text), process.stderr.columns)),
};

main(process.argv.slice(2)).then(
  (code) => leave(code),
  (error) => leave(explain(error)),
);

/** Parses `argv` and runs its command; resolves with the exit code. */
async function main(argv: string[]): Promise<number> {
  let code: number = EXIT.finished;
  const evolve = program(context, (result) => {
    code = result;
  });
  const names = evolve.commands.map((command) => command.name());
  const first = argv[0];
  if (first !== undefined && !first.startsWith('-') && ![...names, 'help'].includes(first)) {
    throw new UserError(
      `unknown command '${first}'${didYouMean(first, names)}`,
      `commands: ${names.join(', ')}`,
    );
  }
  await evolve.parseAsync(argv, { from: 'user' });
  return code;
}

/** From here on the first Ctrl-C (or SIGTERM) asks the command to stop, and the second ends the process. */
function stopSignal(): AbortSignal {
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
    return refuse(line, suggestion.replace(/^\((.*)\)$/, '$1').replace(/^Did/, 'did') || 'see evolve --help');
  }
  if (error instanceof UserError) return refuse(error.message, error.hint, error.exitCode);
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    return refuse(
      'the disk is full',
      'free some space, then `evolve resume` the run: what it has is kept',
      4,
    );
  }
  complain(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
  complain('evolve: this is a fault of evolve itself; `evolve resume` goes on from the last checkpoint');
  return EXIT.internal;
}

function refuse(message: string, hint: string, code: number = EXIT.usage): number {
  // A hint is a sentence of its own where it is written, and here the second half of one.
  const advice = hint.replace(/^[A-Z](?=[a-z]* )/, (letter) => letter.toLowerCase()).replace(/\.$/, '');
  complain(`evolve: ${message}${advice ? `; ${advice}` : ''}`);
  return code;
}

/** Faults stand on one line, however long. */
function complain(text: string): void {
  process.stderr.write(`${redact(text)}\n`);
}

/** Ends the process after stdout has been read: a pipe would lose what `process.exit` cuts off. */
async function leave(code: number): Promise<never> {
  await flushed(process.stdout);
  const failure: NodeJS.ErrnoException | undefined = stdout.failed.reason;
  // Whoever stops reading (`evolve show … | head`) knows that.
  if (failure && failure.code !== 'EPIPE') complain(`evolve: stdout cannot be written: ${failure.message}`);
  await flushed(process.stderr);
  process.exit(failure && code === EXIT.finished ? EXIT.inconclusive : code);
}
