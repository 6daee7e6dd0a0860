import { expect, it } from 'vitest';
import { closest, didYouMean } from '../src/suggest.ts';

it('suggests what is near, and nothing where all is far', () => {
  expect(closest('temprature', ['top_p', 'temperature'])).toBe('temperature');
  expect(closest('RMSE', ['mae', 'rmse'])).toBe('rmse');
  expect(closest('abc', ['temperature', 'accuracy'])).toBeNull();
  expect(didYouMean('serach', ['search', 'sealed'])).toBe(' (did you mean "search"?)');
  expect(didYouMean('zebra', ['search'])).toBe('');
});
