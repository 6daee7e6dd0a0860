import { UserError } from '../errors.ts';
import { compileSchema } from '../json-schema.ts';
import type { Price, Profile } from './profile.ts';

const range = {
  anyOf: [
    { type: 'null' },
    {
      type: 'object',
      properties: { min: { type: 'number' }, max: { type: 'number' } },
      required: ['min', 'max'],
      additionalProperties: false,
    },
  ],
};

const amount = { type: 'number', minimum: 0, maximum: 1e6 };

/** JSON Schema of what a config file may say of models, by name. */
const check = compileSchema({
  type: 'object',
  additionalProperties: {
    type: 'object',
    additionalProperties: false,
    properties: {
      context: { type: ['integer', 'null'], minimum: 1 },
      maxTokens: { enum: ['max_tokens', 'max_completion_tokens'] },
      sampling: {
        type: 'object',
        additionalProperties: false,
        properties: {
          temperature: range,
          top_p: range,
          frequency_penalty: range,
          presence_penalty: range,
          // Without a bound on the reply, nothing could be put aside for it.
          max_tokens: range.anyOf[1] as object,
        },
      },
      seed: { type: 'boolean' },
      thinking: { enum: ['none', 'send-back', 'strip'] },
      reasoningSplit: { type: 'boolean' },
      pace: {
        type: 'object',
        properties: { tokensPerSecond: { type: 'number', minimum: 0.01 }, firstSeconds: amount },
        required: ['tokensPerSecond', 'firstSeconds'],
        additionalProperties: false,
      },
      price: {
        type: 'object',
        properties: { input: amount, cachedInput: amount, output: amount, asOf: { type: 'string' } },
        required: ['input', 'output'],
        additionalProperties: false,
      },
    },
  },
});

/**
 * Reads the `models` of a config file: what the user says of a model, over the built-in table. Prices are dollars per
 * million tokens; cached input costs as much as any unless told otherwise. Throws `UserError`; `where` stands before it.
 */
export function checkProfiles(models: unknown, where: string): Record<string, Partial<Profile>> {
  const [problem = upsideDown(models)] = check(models);
  if (problem) {
    throw new UserError(
      `${where}models${problem.path === '' ? '' : `.${problem.path}`} ${problem.message}`,
      'for example: `models: {my-model: {price: {input: 0.3, output: 1.2}}}`, dollars per million tokens',
    );
  }
  return Object.fromEntries(
    Object.entries(models as Record<string, Partial<Profile>>).map(([name, told]) => {
      if (!told.price) return [name, told];
      const { input, output, cachedInput = input, asOf = 'given by the user' }: Partial<Price> = told.price;
      return [name, { ...told, price: { input, output, cachedInput, asOf } as Price }];
    }),
  );
}

/** The first range whose bounds stand the wrong way round: no schema says so. */
function upsideDown(models: unknown): { path: string; message: string } | undefined {
  for (const [name, told] of Object.entries((models ?? {}) as Record<string, Partial<Profile>>)) {
    for (const [parameter, bounds] of Object.entries(told?.sampling ?? {})) {
      if (bounds && bounds.min > bounds.max) {
        return {
          path: `${name}.sampling.${parameter}`,
          message: `has its min ${bounds.min} above its max ${bounds.max}`,
        };
      }
    }
  }
  return undefined;
}
