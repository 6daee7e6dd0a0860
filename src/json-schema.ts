import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { didYouMean } from './suggest.ts';

/** Something wrong with a value, at a dotted path; `''` is the whole value. */
export type SchemaProblem = { path: string; message: string };

export type Schema = Record<string, unknown>;

/** A check against a JSON Schema (2020-12), with problems in plain English. The one place where ajv is used. */
export function compileSchema(schema: Schema): (value: unknown) => SchemaProblem[] {
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strictTuples: false });
  const check = ajv.compile(schema);
  return (value) => {
    if (check(value)) return [];
    const seen = new Set<string>();
    // A bad name gives a second error for the object that has it.
    const errors = check.errors!.filter(({ keyword }) => keyword !== 'propertyNames');
    return errors.map(problem).filter(({ path, message }) => {
      const known = seen.has(`${path} ${message}`);
      seen.add(`${path} ${message}`);
      return !known;
    });
  };
}

function problem(error: ErrorObject): SchemaProblem {
  const { keyword, params, data, propertyName } = error;
  const parent = (error.parentSchema ?? {}) as Schema;
  const steps = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (propertyName !== undefined) steps.push(propertyName);
  const at = (extra?: string) => [...steps, ...(extra === undefined ? [] : [extra])].join('.');
  switch (keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const options = Object.keys((parent.properties ?? {}) as object);
      return {
        path: at(key),
        message: `is unknown${didYouMean(key, options)}; known are ${options.join(', ')}`,
      };
    }
    case 'required':
      return { path: at(String(params.missingProperty)), message: 'is missing' };
    case 'minimum':
    case 'maximum':
      return { path: at(), message: `is ${data}, outside ${parent.minimum} to ${parent.maximum}` };
    case 'type':
      return { path: at(), message: `must be ${typeName(String(params.type))}, and is ${short(data)}` };
    case 'enum': {
      const options = (params.allowedValues as unknown[]).map(String);
      const guess = typeof data === 'string' ? didYouMean(data, options) : '';
      return { path: at(), message: `is ${short(data)}${guess}, not one of ${options.join(', ')}` };
    }
    case 'maxProperties':
    case 'maxItems':
      return { path: at(), message: `has more than ${params.limit} members` };
    case 'maxLength':
      return { path: at(), message: `has ${[...String(data)].length} characters, more than ${params.limit}` };
    case 'minLength':
      return { path: at(), message: 'is empty' };
    case 'pattern':
      return { path: at(), message: `must be ${parent.description ?? `like ${parent.pattern}`}` };
    default:
      return { path: at(), message: error.message ?? keyword };
  }
}

function typeName(type: string): string {
  const names: Record<string, string> = {
    number: 'a number',
    integer: 'a whole number',
    boolean: 'true or false',
    string: 'a text',
    object: 'an object',
    array: 'a list',
  };
  return names[type] ?? type;
}

function short(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length <= 60 ? json : `${json.slice(0, 57)}...`;
}
