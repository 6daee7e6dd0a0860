import { describe, expect, it } from 'vitest';
import { computeMetric } from '../../src/suite/metrics.ts';

const column = (...cells: (string | number)[]) => cells.map((cell) => [String(cell)]);

/** Named after scikit-learn's functions; values from the examples of its documentation, or worked out with fractions. */
describe('computeMetric', () => {
  it('accuracy_score', () => {
    expect(computeMetric('accuracy', column('a', 'b', 'c', 'a'), column('a', 'b', 'a', 'a'))).toBe(0.75);
  });

  it('accuracy compares numbers as numbers, and texts to the letter', () => {
    expect(computeMetric('accuracy', column(1, 0), column('1.0', '0.0'))).toBe(1);
    expect(computeMetric('accuracy', column('007', 'x'), column('7', 'x'))).toBe(0.5);
  });

  it('f1_score(average="macro"), also with a class that only the prediction has', () => {
    expect(
      computeMetric('macro-f1', column('a', 'a', 'b', 'b', 'c'), column('a', 'b', 'b', 'b', 'a')),
    ).toBeCloseTo(0.43333333333333335, 12);
    expect(computeMetric('macro-f1', column('a', 'a', 'b'), column('a', 'z', 'b'))).toBeCloseTo(
      0.5555555555555555,
      12,
    );
  });

  it('log_loss of one column', () => {
    expect(computeMetric('log-loss', column(1, 0, 1, 0), column(0.9, 0.1, 0.8, 0.35))).toBeCloseTo(
      0.21616187468057912,
      12,
    );
  });

  it('log_loss clips at 1e-15', () => {
    expect(computeMetric('log-loss', column(1, 0), column(0, 0))).toBeCloseTo(-Math.log(1e-15) / 2, 6);
    expect(computeMetric('log-loss', column(0), column(1))).toBeCloseTo(34.5, 0);
  });

  it('log_loss of several columns divides each row by its sum', () => {
    const truth = [
      ['1', '0', '0'],
      ['0', '0', '1'],
    ];
    const predicted = [
      ['7', '2', '1'],
      ['0.2', '0.3', '0.5'],
    ];
    expect(computeMetric('log-loss', truth, predicted)).toBeCloseTo((-Math.log(0.7) - Math.log(0.5)) / 2, 12);
    expect(() => computeMetric('log-loss', truth, [predicted[0]!, ['0', '0', '0']])).toThrow('row 2');
  });

  it('bits per byte, against log2 of the normalised probabilities', () => {
    const truth = [
      ['0', '1', '0'],
      ['1', '0', '0'],
    ];
    const predicted = [
      ['1', '6', '1'],
      ['0.25', '0.5', '0.25'],
    ];
    const bits = (-Math.log2(6 / 8) - Math.log2(0.25)) / 2;
    expect(computeMetric('bits-per-byte', truth, predicted)).toBeCloseTo(bits, 12);
    const even = truth.map((row) => row.map(() => '1'));
    expect(computeMetric('bits-per-byte', truth, even)).toBeCloseTo(Math.log2(3), 12);
    expect(computeMetric('bits-per-byte', truth, truth)).toBeCloseTo(0, 12);
    expect(() => computeMetric('bits-per-byte', column(1, 0), column(1, 0))).toThrow('one column');
  });

  it.each(['bits-per-byte', 'log-loss'] as const)('%s: nobody is sure of two things at once', (metric) => {
    // Each sums to 1, and had the probability 1 for whichever of two is true.
    const truth = [['1', '0', '0']];
    expect(() => computeMetric(metric, truth, [['1', '1', '-1']])).toThrow('row 1: a probability below 0');
  });

  it('roc_auc_score with ties', () => {
    expect(computeMetric('roc-auc', column(0, 0, 1, 1), column(0.1, 0.4, 0.35, 0.8))).toBe(0.75);
    expect(computeMetric('roc-auc', column(0, 1, 0, 1, 1), column(0.5, 0.5, 0.5, 0.9, 0.1))).toBeCloseTo(
      0.5,
      12,
    );
    expect(() => computeMetric('roc-auc', column(1, 1), column(0, 1))).toThrow('one class');
  });

  it('errors of regression', () => {
    const truth = column(3, -0.5, 2, 7);
    const predicted = column(2.5, 0.0, 2, 8);
    expect(computeMetric('rmse', truth, predicted)).toBeCloseTo(0.6123724356957945, 12);
    expect(computeMetric('mae', truth, predicted)).toBe(0.5);
    expect(computeMetric('rmsle', column(3, 5, 2.5, 7), column(2.5, 5, 4, 8))).toBeCloseTo(0.19932, 4);
  });

  it('rmsle refuses negative predictions', () => {
    expect(() => computeMetric('rmsle', column(1, 2), column(1, -0.1))).toThrow('row 2: -0.1 is negative');
  });

  it('regression takes the mean over columns', () => {
    const truth = [
      ['0', '0'],
      ['0', '0'],
    ];
    const predicted = [
      ['1', '3'],
      ['1', '3'],
    ];
    expect(computeMetric('rmse', truth, predicted)).toBe(2);
  });

  it('cohen_kappa_score(weights="quadratic")', () => {
    expect(
      computeMetric('quadratic-kappa', column(0, 1, 2, 3, 4, 0, 2), column(0, 2, 2, 3, 3, 1, 2)),
    ).toBeCloseTo(0.8531468531468531, 12);
    expect(computeMetric('quadratic-kappa', column(0, 1, 2), column(2, 1, 0))).toBe(-1);
    expect(computeMetric('quadratic-kappa', column(2, 2), column(2, 2))).toBe(1);
    expect(() => computeMetric('quadratic-kappa', column(1), column(1.5))).toThrow('not a whole number');
  });

  it.each(['log-loss', 'roc-auc', 'rmse', 'mae', 'rmsle', 'quadratic-kappa'] as const)(
    '%s refuses what is not a number',
    (name) => {
      for (const cell of ['', 'NaN', 'Infinity', '0x10', 'two', '1e999']) {
        expect(() => computeMetric(name, column(0, 1), column(0, cell))).toThrow('row 2');
      }
    },
  );

  it('refuses other numbers of rows or columns', () => {
    expect(() => computeMetric('rmse', column(1, 2), column(1))).toThrow('1 rows, not 2');
    expect(() => computeMetric('rmse', column(1), [['1', '2']])).toThrow('row 1: 2 columns, not 1');
    expect(() => computeMetric('rmse', [], [])).toThrow('no rows');
  });
});
