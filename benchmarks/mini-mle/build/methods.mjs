import { computeMetric } from '../../../dist/suite/metrics.js';
import { loadComponents } from './components.mjs';
import { directionOf } from './describe.mjs';
import { asTables } from './tables.mjs';

/**
 * A method, as data. Members share a target; their scores are averaged.
 * @typedef {{ features: string[], model: string, setting?: number, rows?: 'fit' | 'all' | number, bags?: number, column?: number }} Member
 *   `features`: several are put side by side. `rows`: the three quarters that the agent's main.mjs fits on (the
 *   default), all training rows, or a share of the three quarters. `bags`: average over so many resamples of the
 *   rows. `column`: one column of the features only.
 * @typedef {{ name: string, target: string, members: Member[], keep?: number, bags?: number, constant?: boolean }} Method
 *   `keep`: only that many members, those that do best on the rows that are held out, with `bags` resamples each.
 *   `constant`: the mean of the target, or the shares of the classes, for every row.
 */

/**
 * Everything that is needed to score methods on one task.
 * @returns {Promise<{ components: object, score(method: Method): number, heldOut(method: Method): number }>} the metric
 *   on the answers, and on the training rows that the agent holds out
 */
export async function makeScorer(task, made) {
  const components = await loadComponents(task, made.data.targetName);
  const { train, test, answers } = asTables(made);
  const cells = train.columns[made.data.targetName];
  const rowsOf = {
    fit: cells.map((_, i) => i).filter((i) => i % 4 !== 0),
    held: cells.map((_, i) => i).filter((i) => i % 4 === 0),
    all: cells.map((_, i) => i),
  };
  const prepared = new Map();
  const fits = new Map();
  const measure = (truth, outputs) =>
    computeMetric(
      task.metric,
      truth.map((cell) => [cell]),
      outputs.map((cell) => [cell]),
    );

  /** Standardised rows of all cases, the columns' statistics from the rows in `rows` only. */
  function features(names, rows) {
    const key = `${names}/${Array.isArray(rows) ? rows.length : rows}`;
    if (!prepared.has(key)) {
      const source = subset(train, Array.isArray(rows) ? rows : rowsOf[rows]);
      const parts = names.map((name) => {
        const { prepare, apply } = components.features[name];
        const fitted = prepare(source);
        return { train: apply(fitted, train), test: apply(fitted, test) };
      });
      const join = (part) => parts[0][part].map((_, i) => parts.flatMap((p) => p[part][i]));
      prepared.set(key, { train: join('train'), test: join('test') });
    }
    return prepared.get(key);
  }

  /** A member's scores; a member that several methods share is fitted once. */
  function run(member, targetName) {
    const key = JSON.stringify([member, targetName]);
    if (!fits.has(key)) fits.set(key, fitMember(member, targetName));
    return fits.get(key);
  }

  /** Mean scores of a member over its resamples, for the test rows and for the held-out rows. */
  function fitMember(member, targetName) {
    const rows = member.rows ?? 'fit';
    const picked = Array.isArray(rowsOf[rows])
      ? rowsOf[rows]
      : rowsOf.fit.slice(0, Math.ceil(rows * rowsOf.fit.length));
    let { train: all, test: open } = features(member.features, typeof rows === 'number' ? picked : rows);
    if (member.column !== undefined) {
      const one = (row) => [row[member.column % row.length]];
      [all, open] = [all.map(one), open.map(one)];
    }
    const { encode } = components.targets[targetName];
    const target = encode(subset(train, picked));
    const random = lcg(7);
    const model = components.models[member.model];
    const [name] = Object.keys(model.SETTINGS);
    const usual = model.SETTINGS[name];
    model.SETTINGS[name] = member.setting ?? usual;
    const bags = member.bags ?? 1;
    const kept = rowsOf.held.map((i) => all[i]);
    const sums = { test: null, held: null };
    for (let bag = 0; bag < bags; bag++) {
      const at = picked.map((_, i) => (bags === 1 ? i : Math.floor(random() * picked.length)));
      const fitted = model.fit(
        at.map((i) => all[picked[i]]),
        at.map((i) => target.Y[i]),
        target.classes !== null,
      );
      sums.test = added(sums.test, model.predict(fitted, open), bags);
      sums.held = added(sums.held, model.predict(fitted, kept), bags);
    }
    model.SETTINGS[name] = usual;
    return { member, targetName, target, ...sums };
  }

  const held = subset(train, rowsOf.held);
  const truth = rowsOf.held.map((i) => cells[i]);

  /** The metric of averaged members on the held-out rows. */
  function heldOut(runs) {
    const { decode } = components.targets[runs[0].targetName];
    return measure(truth, decode(runs[0].target, average(runs, 'held'), held));
  }

  /** The members that do best on the held-out rows, as the agent would choose, fitted again on every row. */
  function choose(runs, { keep, bags }) {
    const sign = directionOf(task.metric) === 'max' ? -1 : 1;
    return runs
      .map((one) => ({ one, loss: sign * heldOut([one]) }))
      .sort((a, b) => a.loss - b.loss)
      .slice(0, keep)
      .map(({ one }) => run({ ...one.member, rows: 'all', bags }, one.targetName));
  }

  function outputsOf(method) {
    const { decode, encode } = components.targets[method.target];
    if (method.constant) {
      const target = encode(train);
      const same = test.columns.id.map(() => target.base);
      return decode(target, same, test);
    }
    const members = method.members.map((member) => run(member, method.target));
    const runs = method.keep ? choose(members, method) : members;
    return decode(runs[0].target, average(runs, 'test'), test);
  }

  return {
    components,
    score: (method) => measure(answers, outputsOf(method)),
    heldOut: (method) => heldOut(method.members.map((member) => run(member, method.target))),
  };
}

function average(runs, part) {
  return runs.reduce((sum, one) => added(sum, one[part], runs.length), null);
}

function subset(table, rows) {
  const columns = Object.entries(table.columns).map(([name, cells]) => [name, rows.map((i) => cells[i])]);
  return { n: rows.length, columns: Object.fromEntries(columns) };
}

function added(sum, scores, parts) {
  return scores.map((row, i) => row.map((x, c) => (sum ? sum[i][c] : 0) + x / parts));
}

function lcg(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
