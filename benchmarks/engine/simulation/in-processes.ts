import { fork } from 'node:child_process';

/**
 * Does pieces of work, given by number, in so many processes: copies of this script with the same arguments, each
 * doing every n-th piece. The script must come to this call the same way each time; only in the first process does it
 * return, with what each piece gave, in order. Answers must be JSON. Tells on stderr how far it is.
 */
export async function inProcesses<T>(
  processes: number,
  pieces: number,
  work: (piece: number) => Promise<T>,
): Promise<T[]> {
  const share = process.env[SHARE];
  if (share !== undefined) return await asChild(Number(share), processes, pieces, work);
  const answers: T[] = [];
  let done = 0;
  const started = Date.now();
  const one = (index: number) =>
    new Promise<void>((resolve, reject) => {
      const child = fork(process.argv[1]!, process.argv.slice(2), {
        env: { ...process.env, [SHARE]: String(index) },
      });
      child.on('message', (message: { piece: number; answer: T }) => {
        answers[message.piece] = message.answer;
        done++;
        if (done % Math.ceil(pieces / 10) === 0)
          process.stderr.write(`${done} of ${pieces} runs, ${Math.round((Date.now() - started) / 1000)} s\n`);
      });
      child.on('error', reject);
      child.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`a process ended with ${code}`)),
      );
    });
  await Promise.all(Array.from({ length: processes }, (_, i) => one(i)));
  return answers;
}

const SHARE = 'SIMULATION_SHARE';

async function asChild<T>(
  share: number,
  processes: number,
  pieces: number,
  work: (piece: number) => Promise<T>,
): Promise<never> {
  for (let piece = share; piece < pieces; piece += processes) {
    const answer = await work(piece);
    await new Promise<void>((resolve, reject) =>
      process.send!({ piece, answer }, (error: Error | null) => (error ? reject(error) : resolve())),
    );
  }
  process.exit(0);
}
