import type { complete } from './offline-llm.ts';

type Completion = ReturnType<typeof complete>;

/** Into how many pieces a text is cut, so that a client has something to put together. */
const PIECES = 4;

/**
 * A completion as the chunks of a stream, in the API's form: the role; the content in pieces; every tool call with
 * its index, id and name, then its arguments in pieces; why it ended; and with `includeUsage` a last chunk without
 * choices that holds the usage. Put together they give the completion again.
 */
export function chunksOf(completion: Completion, includeUsage: boolean): object[] {
  const { id, created, model, usage } = completion;
  const { message, finish_reason: reason } = completion.choices[0]!;
  const head = { id, object: 'chat.completion.chunk', created, model };
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason }],
    ...(includeUsage ? { usage: null } : {}),
  });
  const calls = (message.tool_calls ?? []).flatMap(({ function: called, ...call }, index) => [
    chunk({ tool_calls: [{ index, ...call, function: { name: called.name, arguments: '' } }] }),
    ...pieces(called.arguments).map((piece) =>
      chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
    ),
  ]);
  return [
    chunk({ role: 'assistant', content: '' }),
    ...pieces(message.content).map((content) => chunk({ content })),
    ...calls,
    chunk({}, reason),
    ...(includeUsage ? [{ ...head, choices: [], usage }] : []),
  ];
}

/** The text in at most `PIECES` parts, none empty, and cut between characters, never within a surrogate pair. */
function pieces(text: string): string[] {
  const characters = [...text];
  const size = Math.ceil(characters.length / PIECES);
  const starts = Array.from({ length: PIECES }, (_, i) => i * size).filter((at) => at < characters.length);
  return starts.map((at) => characters.slice(at, at + size).join(''));
}
