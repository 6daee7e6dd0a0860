import { redact, redactDeep } from '../secrets.ts';
import { type Llm, LlmError } from './llm.ts';

/**
 * Takes the values of secret variables out of all texts that go to the model and come back, and out of what its errors
 * say. The causes of errors are left behind: a client's own error may hold the whole request.
 */
export function withRedaction(llm: Llm): Llm {
  return async (request, signal) => {
    try {
      return redactDeep(await llm(redactDeep(request), signal));
    } catch (error) {
      throw redactError(error);
    }
  };
}

/** The same kind of error without secrets in its message, hint and stack. */
function redactError(error: unknown): unknown {
  if (error instanceof LlmError) {
    const more = { ...error, hint: redact(error.hint), cause: undefined };
    return new LlmError(error.fault, redact(error.message), more);
  }
  if (!(error instanceof Error)) return error;
  const { message, stack = '' } = error;
  if (redact(message) === message && redact(stack) === stack) return error;
  return Object.assign(new Error(redact(message)), redactDeep({ ...error }), { stack: redact(stack) });
}
