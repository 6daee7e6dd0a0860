import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { isLoopback, readBaseURL } from '../../src/llm/address.ts';

function refusal(text: string): UserError {
  try {
    readBaseURL(text, 'OPENAI_BASE_URL');
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error(`${text} was accepted`);
}

describe('readBaseURL', () => {
  it.each([
    ['https://api.openai.com/v1', 'https://api.openai.com/v1'],
    ['  https://api.minimax.io/v1/ \n', 'https://api.minimax.io/v1'],
    ['HTTPS://API.Example.com:443/v1//', 'https://api.example.com/v1'],
    ['http://localhost:11434/v1', 'http://localhost:11434/v1'],
    ['http://127.0.0.1:8000', 'http://127.0.0.1:8000'],
    ['http://[::1]:8000/v1/', 'http://[::1]:8000/v1'],
    ['https://host/openai/deployments/x', 'https://host/openai/deployments/x'],
    ['https://host/v1beta/openai', 'https://host/v1beta/openai'],
    ['https://host/api/v3', 'https://host/api/v3'],
    ['https://host/chatty/v1', 'https://host/chatty/v1'],
  ])('%j is %s', (text, url) => {
    expect(readBaseURL(text, 'X')).toBe(url);
  });

  it.each([
    ['', /is empty/, /https:\/\//],
    ['  ', /is empty/, /https:\/\//],
    ['api.openai.com/v1', /no scheme/, /^Give https:\/\/api\.openai\.com\/v1\.$/],
    ['localhost:8000/v1', /no scheme/, /^Give http:\/\/localhost:8000\/v1\.$/],
    ['127.0.0.1:8000', /no scheme/, /^Give http:\/\/127\.0\.0\.1:8000\.$/],
    ['my.host:99999/v1', /no scheme/, /^Give https:\/\/api/],
    ['htps://api.openai.com/v1', /begins with htps:\/\//, /https:\/\//],
    ['file:///etc/passwd', /begins with file:\/\//, /https:\/\//],
    ['javascript:alert(1)', /no address/, /https:\/\//],
    ['https://', /no address/, /https:\/\//],
    ['http:///v1', /no address/, /https:\/\//],
    ['http://host:port/v1', /no address/, /https:\/\//],
    ['"https://api.openai.com/v1"', /quotes/, /https:\/\//],
    ['https://api openai com/v1', /blanks/, /https:\/\//],
    ['https://h/v1/chat/completions', /too many: \/chat\/completions$/, /^Give https:\/\/h\/v1\.$/],
    ['https://h/v1/chat/completions/', /too many/, /^Give https:\/\/h\/v1\.$/],
    ['https://h/v1/completions', /too many: \/completions$/, /^Give https:\/\/h\/v1\.$/],
    ['https://h:8/v1/models', /too many: \/models$/, /^Give https:\/\/h:8\/v1\.$/],
    ['https://h/v1/models/gpt', /too many: \/models\/gpt$/, /^Give https:\/\/h\/v1\.$/],
    ['https://h/v1/v1', /too many: \/v1$/, /^Give https:\/\/h\/v1\.$/],
    ['https://h/v1/v1/models', /too many/, /^Give https:\/\/h\/v1\.$/],
    ['https://h/v1?key=1', /behind a \?/, /Take that out/],
    ['https://h/v1?', /behind a \?/, /Take that out/],
    ['https://h/v1#x', /behind a \?/, /Take that out/],
  ])('%j is refused', (text, message, hint) => {
    expect(refusal(text).message).toMatch(/^OPENAI_BASE_URL /);
    expect(refusal(text).message).toMatch(message);
    expect(refusal(text).hint).toMatch(hint);
    expect(refusal(text).exitCode).toBe(2);
  });

  it.each([
    'https://user:s3cr3t-k3y@host/v1',
    'https://s3cr3t-k3y@host/v1',
    'https://host/v1?api_key=s3cr3t-k3y',
    's3cr3t-k3y',
    'sk-s3cr3t-k3y_x.y1',
    'user:s3cr3t-k3y@host/v1',
    'host.com/v1?key=s3cr3t-k3y',
  ])('a key in %s is not repeated', (text) => {
    const { message, hint } = refusal(text);
    expect(message + hint).not.toContain('s3cr3t');
  });
});

describe('isLoopback', () => {
  it.each([
    'http://localhost:1/v1',
    'http://models.localhost',
    'http://127.0.0.1',
    'http://127.1',
    'http://127.8.9.10:1',
    'http://[::1]:8080/v1',
    'http://[::ffff:127.0.0.1]',
    'http://0.0.0.0:8000',
  ])('%s', (url) => {
    expect(isLoopback(url)).toBe(true);
  });

  it.each([
    'https://api.openai.com/v1',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1',
    'http://[::2]',
    'localhost',
    '',
  ])('not %j', (url) => {
    expect(isLoopback(url)).toBe(false);
  });
});
