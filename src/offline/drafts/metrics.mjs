// metrics: (truth, predicted) => number, both lists of texts as they stand in a submission
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** Share of equal labels. */
export function accuracy(truth, predicted) {
  return mean(truth.map((label, i) => (label === predicted[i] ? 1 : 0)));
}

/** F1 of each class that occurs, averaged. */
export function macroF1(truth, predicted) {
  const classes = [...new Set([...truth, ...predicted])];
  return mean(
    classes.map((name) => {
      const hits = truth.filter((label, i) => label === name && predicted[i] === name).length;
      const all =
        truth.filter((label) => label === name).length + predicted.filter((label) => label === name).length;
      return (2 * hits) / all;
    }),
  );
}

/** Binary cross-entropy of the probability of class 1. */
export function logLoss(truth, predicted) {
  const clip = (p) => Math.min(Math.max(p, 1e-15), 1 - 1e-15);
  return mean(
    truth.map(
      (label, i) => -Math.log(label === '1' ? clip(Number(predicted[i])) : clip(1 - Number(predicted[i]))),
    ),
  );
}

/** The chance that a case of class 1 scores above one of class 0, ties half. */
export function rocAuc(truth, predicted) {
  const scores = predicted.map(Number);
  const negatives = scores.filter((_, i) => truth[i] !== '1');
  const beaten = (score) => mean(negatives.map((other) => (score > other ? 1 : score === other ? 0.5 : 0)));
  return mean(scores.filter((_, i) => truth[i] === '1').map(beaten));
}

/** Root of the mean squared error. */
export function rmse(truth, predicted) {
  return Math.sqrt(mean(truth.map((value, i) => (Number(value) - Number(predicted[i])) ** 2)));
}

/** Mean absolute error. */
export function mae(truth, predicted) {
  return mean(truth.map((value, i) => Math.abs(Number(value) - Number(predicted[i]))));
}

/** Root mean squared error of log(1 + value). */
export function rmsle(truth, predicted) {
  return Math.sqrt(
    mean(truth.map((value, i) => (Math.log1p(Number(value)) - Math.log1p(Number(predicted[i]))) ** 2)),
  );
}

/** Cohen's kappa with quadratic weights, for ordinal integers. */
export function quadraticKappa(truth, predicted) {
  const observed = mean(truth.map((value, i) => (Number(value) - Number(predicted[i])) ** 2));
  const expected = mean(
    truth.map((value) => mean(predicted.map((other) => (Number(value) - Number(other)) ** 2))),
  );
  return expected === 0 ? 0 : 1 - observed / expected;
}
