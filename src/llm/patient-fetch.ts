/**
 * A `fetch` that waits for an answer as long as its caller does: Node's own gives up after five minutes without headers,
 * or without a further piece of the body. Any number of connections to one origin, which are used again. Where Node is
 * told to go through a proxy (NODE_USE_ENV_PROXY), that of Node, which knows the way.
 */
export const patientFetch: typeof fetch = async (url, init) => {
  if (process.env.NODE_USE_ENV_PROXY === '1') return await fetch(url, init);
  patient ??= openPatient();
  return await (await patient)(url, init);
};

let patient: Promise<typeof fetch> | undefined;

/** Loaded with the first call: most processes never make one. */
async function openPatient(): Promise<typeof fetch> {
  const { Agent, fetch: send } = await import('undici');
  const patience: object = { dispatcher: new Agent({ headersTimeout: 0, bodyTimeout: 0 }) };
  // The same `fetch` that Node has built in; only its types are of another version.
  const patiently = send as unknown as typeof fetch;
  return (url, init) => patiently(url, { ...init, ...patience });
}
