// model: ridge
import { flat, shares } from './read.mjs';

export const SETTINGS = { strength: 1 };
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** Least squares with a penalty on the weights, one column of weights an output. */
export function fit(X, Y, classification) {
  const n = X.length;
  const d = X[0].length;
  const k = Y[0].length;
  const base = Y[0].map((_, c) => mean(Y.map((row) => row[c])));
  const x = flat(X, d);
  const gram = new Float64Array(d * d);
  const weights = new Float64Array(d * k);
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < d; a++) {
      const value = x[i * d + a];
      if (value === 0) continue;
      for (let b = 0; b <= a; b++) gram[a * d + b] += value * x[i * d + b];
      for (let c = 0; c < k; c++) weights[a * k + c] += value * (Y[i][c] - base[c]);
    }
  }
  for (let a = 0; a < d; a++) gram[a * d + a] += SETTINGS.strength;
  solve(gram, weights, d, k);
  return { d, k, base, weights, classification };
}

/** Scores, n × k. */
export function predict({ d, k, base, weights, classification }, X) {
  const x = flat(X, d);
  return X.map((_, i) => {
    const scores = [...base];
    for (let a = 0; a < d; a++) for (let c = 0; c < k; c++) scores[c] += x[i * d + a] * weights[a * k + c];
    return classification ? shares(scores) : scores;
  });
}

/** Solves A W = B in place of B, for a symmetric positive A given by its lower half (Cholesky). */
function solve(A, B, d, k) {
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = A[i * d + j];
      for (let m = 0; m < j; m++) sum -= A[i * d + m] * A[j * d + m];
      A[i * d + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / A[j * d + j];
    }
  }
  for (let c = 0; c < k; c++) {
    for (let i = 0; i < d; i++) {
      for (let m = 0; m < i; m++) B[i * k + c] -= A[i * d + m] * B[m * k + c];
      B[i * k + c] /= A[i * d + i];
    }
    for (let i = d - 1; i >= 0; i--) {
      for (let m = i + 1; m < d; m++) B[i * k + c] -= A[m * d + i] * B[m * k + c];
      B[i * k + c] /= A[i * d + i];
    }
  }
}
