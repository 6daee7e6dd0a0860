import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { protect, redact, redactDeep, secretNames } from '../src/secrets.ts';

const KEY = 'sk-Zq8/4f9A+b"x=7';
const set: string[] = [];

/** Values stay protected for good, so that each test takes values of its own. */
function setEnv(name: string, value: string): void {
  process.env[name] = value;
  set.push(name);
}
afterEach(() => {
  for (const name of set.splice(0)) delete process.env[name];
});

describe('which values are secret', () => {
  it.each([
    'OPENAI_API_KEY',
    'MINIMAX_KEY_2',
    'GITHUB_TOKEN',
    'PGPASSWORD',
    'MYSQL_PWD',
    'DB_PASSWD',
    'AWS_SECRET_ACCESS_KEY',
    'npm_config__authToken',
    'NODE_AUTH_TOKEN',
    'SESSION_COOKIE',
    'SERVICE_CREDENTIALS',
    'SSH_PRIVATE_KEY',
    'HTTP_AUTH',
  ])('%s, by its name', (name) => {
    const value = `v4lue-of-${name}-1`;
    setEnv(name, value);
    protect([]);
    expect(redact(`a ${value} b`)).toBe(`a [${name}] b`);
    expect(secretNames()).toContain(name);
  });

  it.each([
    ['KEYBOARD', 'us-intl-104x'],
    ['MONKEY', 'capuchin-42x'],
    ['TOKENIZERS_PARALLELISM', 'maybe-1x2x3'],
    ['SSH_AUTH_SOCK', 'socket-4711-x'],
    ['TOKEN_URL', 'https://login.example.com/t0ken'],
    ['LANGUAGE_SETTING', 'en_GB.UTF-8'],
    ['SHORT_KEY', 'abc4567'],
    ['LOCAL_KEY', 'not-needed'],
    ['WORD_KEY', 'none'],
    ['OTHER_KEY', 'lm-studio'],
    ['EMPTY_KEY', 'EMPTY'],
    ['GRANT_AUTH', 'client_credentials'],
    ['SPOKEN_PASSWORD', 'Password'],
    ['MAX_TOKENS', '1234567890'],
    ['KEY_EXPIRES', '2026-11-21T10:00:00Z'],
    ['KEY_FLAG', 'false'],
    ['KEY_FRACTION', '-12345.678e-9'],
    ['KEY_BAR', '----------'],
    ['APP_CREDENTIALS', '/srv/accounts/robot-4711.json'],
  ])('but not %s=%s', (name, value) => {
    setEnv(name, value);
    protect([]);
    expect(redact(`a ${value} b`)).toBe(`a ${value} b`);
  });

  it('nor the path of a thing that exists, while a key that begins with a slash is one', () => {
    const dir = mkdtempSync(join(tmpdir(), 'evolve-test-'));
    writeFileSync(join(dir, 'id_x1'), '');
    setEnv('MY_PRIVATE_KEY', join(dir, 'id_x1'));
    setEnv('MY_OTHER_KEY', '/Ab3/9xYz+Qw');
    protect([]);
    rmSync(dir, { recursive: true });
    expect(redact(`${dir}/id_x1 /Ab3/9xYz+Qw`)).toBe(`${dir}/id_x1 [MY_OTHER_KEY]`);
  });

  it('the password in an address, of any variable, also as it is meant', () => {
    setEnv('DATABASE', 'postgres://me:p%40ss-w0rd@127.0.0.1:5432/db?x=1');
    protect([]);
    expect(redact('p%40ss-w0rd p@ss-w0rd me')).toBe('[DATABASE] [DATABASE] me');
  });

  it('each line of a key in several, but not its frame', () => {
    const frame = '-----BEGIN RSA PRIVATE KEY-----';
    setEnv('DEPLOY_KEY', `${frame}\nMIIEow1BAAKCAQEA7\nsecondLine+0123456\n-----END-----\n`);
    protect([]);
    expect(redact(`${frame} MIIEow1BAAKCAQEA7`)).toBe(`${frame} [DEPLOY_KEY]`);
    expect(redact(process.env.DEPLOY_KEY as string)).toBe('[DEPLOY_KEY]\n');
  });

  it('what is protected by name, once it is set, and after it is gone', () => {
    protect(['HOUSE_NUMBER_OF_THE_BOSS']);
    setEnv('HOUSE_NUMBER_OF_THE_BOSS', 'q7w8e9r0t1');
    protect([]);
    delete process.env.HOUSE_NUMBER_OF_THE_BOSS;
    protect([]);
    expect(redact('q7w8e9r0t1')).toBe('[HOUSE_NUMBER_OF_THE_BOSS]');
  });
});

describe('redact', () => {
  const protectKey = () => {
    setEnv('CANARY_KEY', KEY);
    protect([]);
  };

  it.each([
    ['JSON', JSON.stringify({ a: KEY })],
    ['JSON in JSON', JSON.stringify({ args: JSON.stringify({ a: KEY }) })],
    ['JSON with escaped slashes', JSON.stringify({ a: KEY }).replaceAll('/', '\\/')],
    ['an address', `http://h/?k=${encodeURIComponent(KEY)}&x`],
    [
      'an address, small digits',
      `http://h/?k=${encodeURIComponent(KEY).replace(/%../g, (c) => c.toLowerCase())}`,
    ],
    ['a form', new URLSearchParams({ k: KEY }).toString()],
    ['base64', Buffer.from(KEY).toString('base64')],
    ['base64url', Buffer.from(KEY).toString('base64url')],
    ['base64 after one', Buffer.from(`u${KEY}`).toString('base64')],
    ['base64 after two', Buffer.from(`u:${KEY}\n`).toString('base64')],
    ['base64 in the middle', Buffer.from(`use${KEY} and more`).toString('base64')],
  ])('finds the value in %s', (_, text) => {
    protectKey();
    expect(redact(text)).toContain('[CANARY_KEY]');
    const rest = redact(text).replaceAll('[CANARY_KEY]', '');
    for (const part of ['Zq8', '4f9A', 'Buffer']) expect(rest).not.toContain(part);
    // No more than the digits that are shared with the neighbours stay.
    const decoded = Buffer.from(rest, 'base64').toString('latin1');
    expect(decoded).not.toContain('4f9A');
  });

  it('keeps JSON whole', () => {
    protectKey();
    expect(JSON.parse(redact(JSON.stringify({ a: `x${KEY}y` })))).toEqual({ a: 'x[CANARY_KEY]y' });
  });

  it('takes the longest of values that contain each other, and all occurrences', () => {
    setEnv('INNER_TOKEN', 'abc-123-def');
    setEnv('OUTER_TOKEN', 'abc-123-def-456');
    protect([]);
    expect(redact('abc-123-def-456,abc-123-def,abc-123-def')).toBe(
      '[OUTER_TOKEN],[INNER_TOKEN],[INNER_TOKEN]',
    );
  });

  it('goes on after a value beyond ASCII, as writers of ASCII escape it', () => {
    setEnv('WORLD_TOKEN', 'schlüssel-7→9');
    protect([]);
    expect(redact('"schl\\u00fcssel-7\\u21929" schlüssel-7→9')).toBe('"[WORLD_TOKEN]" [WORLD_TOKEN]');
  });
});

describe('redactDeep', () => {
  it('gives the very same object where nothing changes', () => {
    const record = { a: [1, null, Number.NaN, { b: 'x' }], c: true };
    expect(redactDeep(record)).toBe(record);
  });

  it('reaches texts and member names at any depth, and leaves what was given alone', () => {
    setEnv('DEEP_TOKEN', 'deep-0x9f8e7d');
    protect([]);
    const record = { same: { a: 1 }, list: ['x', { 'k deep-0x9f8e7d': 'deep-0x9f8e7d!' }] };
    const clean = redactDeep(record);
    expect(clean).toEqual({ same: { a: 1 }, list: ['x', { 'k [DEEP_TOKEN]': '[DEEP_TOKEN]!' }] });
    expect(clean.same).toBe(record.same);
    expect(JSON.stringify(record)).toContain('deep-0x9f8e7d');
  });

  it('takes __proto__ for a name like any other', () => {
    setEnv('PROTO_TOKEN', 'proto-0x9f8e7d');
    protect([]);
    const clean = redactDeep(JSON.parse('{"__proto__": "proto-0x9f8e7d"}'));
    expect(JSON.stringify(clean)).toBe('{"__proto__":"[PROTO_TOKEN]"}');
  });
});
