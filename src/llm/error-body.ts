/** How much of an error's body is read: its status is what counts. */
const ERROR_BYTES = 64 * 1024;

/** The start of an error's body, as far as it comes in `ms`; lets go of the connection. Never rejects. */
export async function errorBody(response: Response, ms: number): Promise<string> {
  if (!response.body) return '';
  const reader = response.body.getReader();
  const giveUp = () => void reader.cancel().catch(() => {});
  const timer = setTimeout(giveUp, ms);
  const decoder = new TextDecoder();
  let text = '';
  try {
    while (text.length < ERROR_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // Cut off: the status says enough.
  }
  clearTimeout(timer);
  giveUp();
  return text;
}
