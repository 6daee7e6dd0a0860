// model: ridge
import { add, dot, flat, shares } from './read.mjs';

export const SETTINGS = { strength: 1 };
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** Least squares with a penalty on the weights: solves (X'X + strength I) w = X'y for each output. */
export function fit(X, Y, classification) {
  const [d, k] = [X[0].length, Y[0].length];
  const base = Y[0].map((_, c) => mean(Y.map((row) => row[c])));
  const x = flat(X, d);
  const gram = new Float64Array(d * d);
  const weights = new Float64Array(k * d);
  for (let i = 0; i < X.length; i++) {
    for (let a = 0; a < d; a++) if (x[i * d + a] !== 0) add(gram, a * d, x, i * d, a + 1, x[i * d + a]);
    for (let c = 0; c < k; c++) add(weights, c * d, x, i * d, d, Y[i][c] - base[c]);
  }
  for (let a = 0; a < d; a++) gram[a * d + a] += SETTINGS.strength;
  solve(gram, weights, d, k);
  return { d, base, weights, classification };
}

/** Scores, n × k. */
export function predict({ d, base, weights, classification }, X) {
  const x = flat(X, d);
  return X.map((_, i) => {
    const scores = base.map((value, c) => value + dot(x, i * d, weights, c * d, d));
    return classification ? shares(scores) : scores;
  });
}

/** Solves A w = b in place of each of the k rows of B, for a symmetric positive A (Cholesky, A = LL'). */
function solve(A, B, n, k) {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const rest = A[i * n + j] - dot(A, i * n, A, j * n, j);
      A[i * n + j] = i === j ? Math.sqrt(Math.max(rest, 1e-12)) : rest / A[j * n + j];
    }
  }
  for (let c = 0; c < k; c++) {
    for (let i = 0; i < n; i++) B[c * n + i] = (B[c * n + i] - dot(A, i * n, B, c * n, i)) / A[i * n + i];
    for (let i = n - 1; i >= 0; i--) {
      B[c * n + i] /= A[i * n + i];
      add(B, c * n, A, i * n, i, -B[c * n + i]);
    }
  }
}
