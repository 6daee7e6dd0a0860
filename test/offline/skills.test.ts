import { describe, expect, test } from 'vitest';
import { codeOf, loadDrafts, loadSkillLibrary } from '../../src/offline/skills.ts';
import { fillIn } from '../../src/offline/write-code.ts';
import { computeMetric } from '../../src/suite/metrics.ts';
import { codeNamed, DEFAULTS, filesOf, type Parts, runProgram } from './run-program.ts';
import { KINDS, type Kind, type SyntheticTask, syntheticTask } from './synthetic-tasks.ts';

const library = loadSkillLibrary();
const withCode = Object.keys(library).filter((name) => codeOf(library[name]!.body));
const kindOf = (name: string) => /^\/\/ (\w+):/.exec(codeNamed(name))![1]!;
const featureNames = [
  'features-plain.mjs',
  'features-words.mjs',
  ...withCode.filter((n) => kindOf(n) === 'features'),
];
const targetNames = ['target.mjs', ...withCode.filter((n) => kindOf(n) === 'target')];
const modelNames = ['model-ridge.mjs', ...withCode.filter((n) => kindOf(n) === 'model')];
const mainNames = ['main.mjs', ...withCode.filter((n) => kindOf(n) === 'main')];
const components = [...featureNames, ...targetNames, ...modelNames, ...mainNames];

/** The data that a component is meant for; tables where nothing else is said. */
const FITTING: Record<string, Kind> = {
  'features-words.mjs': 'texts',
  'character-ngrams': 'texts',
  'image-gradients': 'images',
  'spectral-bands': 'signals',
  'lag-features': 'series',
  'neighbourhood-windows': 'denoising',
  'token-shapes': 'normalisation',
  'token-operations': 'normalisation',
  'log-target': 'prices',
  'nearest-neighbours': 'images',
  'random-forest': 'ordinal',
  'gradient-boosting': 'ordinal',
  'neural-network': 'images',
};
const fitting = (name: string) => syntheticTask(FITTING[name] ?? 'tabular', 1, 100);
const partsWith = (name: string): Partial<Parts> => ({ [kindOf(name)]: name });

/** Lower is better, whatever the metric. */
function loss(task: SyntheticTask, outputs: string[]): number {
  const value = computeMetric(
    task.metric,
    task.answers.map((cell) => [cell]),
    outputs.map((cell) => [cell]),
  );
  return ['rmse', 'mae', 'rmsle', 'log-loss'].includes(task.metric) ? value : -value;
}

function run(task: SyntheticTask, parts: Partial<Parts>, edit?: (file: string, code: string) => string) {
  return runProgram(task, filesOf(task, parts, edit));
}

/** Replaces `right` in one file, and insists that it stands there. */
function slip(file: string, right: string | RegExp, wrong: string) {
  return (name: string, code: string) => {
    if (name !== file) return code;
    expect(code, `${file} has the idiom`).toMatch(right);
    return code.replace(right, wrong);
  };
}

describe('the library', () => {
  test('has fifteen skills with code and two without', () => {
    expect(withCode).toHaveLength(15);
    expect(Object.keys(library)).toHaveLength(17);
  });

  test.each(Object.keys(library))('%s is a portable skill', (name) => {
    const { description, body, metadata } = library[name]!;
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(description.length).toBeLessThanOrEqual(1024);
    expect(description).not.toMatch(/[<>]/);
    expect(body.split('\n').length).toBeLessThan(500);
    expect(body.match(/^```js$/gm) ?? []).toHaveLength(codeOf(body) ? 1 : 0);
    if (codeOf(body)) expect(description).toMatch(new RegExp(`^Write ${kindOf(name)}\\.mjs `));
    for (const value of Object.values(metadata ?? {})) expect(typeof value).toBe('string');
  });

  test.each(modelNames.slice(1))('%s has one setting, which starts on its ladder', (name) => {
    const { ladder, start } = library[name]!.metadata!;
    expect(ladder!.split(' ')).toHaveLength(4);
    expect(ladder!.split(' ')).toContain(start);
    expect(codeNamed(name).match(/SETTINGS = \{ (\w+): ([\d.]+) \}/)![2]).toBe(start);
    expect(library[name]!.body).toContain(`the ladder ${ladder!.replaceAll(' ', ', ')}`);
  });
});

describe('filling in', () => {
  test('replaces every placeholder, in strings too, and leaves a program that parses', () => {
    const blanks = { idColumn: "row's", targetColumn: 'a "quoted" one', metric: 'quadratic-kappa' } as const;
    const code = fillIn(loadDrafts()['main.mjs']!, blanks);
    expect(code).not.toMatch(/\b(METRIC|METRIC_FUNCTION|ID_COLUMN|TARGET_COLUMN)\b/);
    expect(code).toContain("columns['row\\'s']");
    expect(code).toContain('function score(truth, predicted) {');
    expect(code).toContain('validation quadratic-kappa: ');
  });
});

describe('the metric functions', () => {
  const labels = [
    ['a', 'b', 'c', 'a', 'b', 'a'],
    ['a', 'c', 'c', 'a', 'a', 'b'],
  ] as const;
  const binary = [
    ['1', '0', '1', '0', '0', '1'],
    ['0.9', '0.2', '0.4', '0.4', '0.55', '0.7'],
  ] as const;
  const numbers = [
    ['3', '1', '5', '2', '2', '4'],
    ['2', '1', '4', '2', '5', '4'],
  ] as const;
  test.each([
    ['accuracy', labels],
    ['macro-f1', labels],
    ['log-loss', binary],
    ['roc-auc', binary],
    ['rmse', numbers],
    ['mae', numbers],
    ['rmsle', numbers],
    ['quadratic-kappa', numbers],
  ] as const)('%s is what the grader computes', async (metric, [truth, predicted]) => {
    const functions = await import(new URL('../../src/offline/drafts/metrics.mjs', import.meta.url).href);
    const name = metric.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const graded = computeMetric(
      metric,
      truth.map((cell) => [cell]),
      predicted.map((cell) => [cell]),
    );
    expect(functions[name](truth, predicted)).toBeCloseTo(graded, 12);
  });
});

describe('programs', () => {
  test.each(components)('%s runs on the data it is meant for and beats a constant answer', (name) => {
    const task = fitting(name);
    const parts = name === 'token-operations' ? { target: name, features: 'token-shapes' } : partsWith(name);
    const { status, stdout, stderr, outputs } = run(task, parts);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^validation ${task.metric}: -?\\d+\\.\\d{4}\\n$`));
    expect(outputs).toHaveLength(task.answers.length);
    if (name === 'token-shapes') return;
    const constants = [...new Set(task.answers)].slice(0, 12);
    const best = Math.min(
      ...constants.map((value) =>
        loss(
          task,
          task.answers.map(() => (task.metric === 'log-loss' ? '0.5' : value)),
        ),
      ),
    );
    expect(loss(task, outputs!)).toBeLessThan(best);
  });

  test.each(
    Object.keys(FITTING).filter((name) => /features|target/.test(kindOf(name)) && !name.endsWith('.mjs')),
  )('%s makes the score better than what is known by heart', (name) => {
    const task = syntheticTask(FITTING[name]!, 2, 300);
    const model = { model: FITTING[name] === 'denoising' ? DEFAULTS.model : 'gradient-boosting' };
    const token = { target: 'token-operations', features: 'token-shapes' };
    const parts = FITTING[name] === 'normalisation' ? token : partsWith(name);
    const plain = run(task, {
      ...model,
      features: FITTING[name] === 'texts' ? 'features-words.mjs' : DEFAULTS.features,
    });
    expect(loss(task, run(task, { ...model, ...parts }).outputs!)).toBeLessThan(loss(task, plain.outputs!));
  });

  test.each(KINDS)('any features, target and model work together on %s', (kind) => {
    const task = syntheticTask(kind, 3, 32);
    const files = filesOf(task, {}, (file, code) => (file === 'main.mjs' ? matrix() : code));
    for (const name of components)
      files[`${kindOf(name)}-of-${name.replace('.mjs', '')}.mjs`] = fillIn(codeNamed(name), task);
    const { stdout, stderr } = runProgram(task, files);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      tried: featureNames.length * targetNames.length * modelNames.length,
      failed: [],
    });
  });

  test('blending takes the second model of the folder when there is one', () => {
    const task = fitting('blending');
    const files = filesOf(task, { main: 'blending' });
    const second = fillIn(codeNamed('nearest-neighbours'), task);
    expect(runProgram(task, { ...files, 'model2.mjs': second }).outputs).not.toEqual(
      runProgram(task, files).outputs,
    );
  });

  test('the same files give the same submission', () => {
    const task = fitting('random-forest');
    const files = filesOf(task, { model: 'random-forest' });
    expect(runProgram(task, files).outputs).toEqual(runProgram(task, files).outputs);
  });
});

describe('slips that crash do so in their own file', () => {
  test.each(components)('an invented function in %s, at its line', (name) => {
    const file = `${kindOf(name)}.mjs`;
    const right = 'const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;';
    const wrong = 'const mean = (values) => Math.mean(values);';
    const task = fitting(name);
    const { status, stderr } = run(task, partsWith(name), slip(file, right, wrong));
    const line = 1 + filesOf(task, partsWith(name))[file]!.split('\n').indexOf(right);
    expect(status).toBe(1);
    expect(stderr).toContain(`/${file}:${line}\n${wrong}`);
  });

  test.each(components)('an import without extension in %s', (name) => {
    const file = `${kindOf(name)}.mjs`;
    const { status, stderr } = run(
      fitting(name),
      partsWith(name),
      slip(file, /from '\.\/read\.mjs';/, "from './read';"),
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`Cannot find module '\\./read' imported from \\./${file}`));
  });

  test.each([...featureNames, ...targetNames, ...mainNames])(
    'a forgotten target column in %s, at its line',
    (name) => {
      const file = `${kindOf(name)}.mjs`;
      const task = fitting(name);
      const forgotten = (code: string) =>
        code.replaceAll(`columns['${task.targetColumn}']`, "columns['TARGET_COLUMN']");
      const { status, stderr } = run(task, partsWith(name), (f, code) =>
        f === file ? forgotten(code) : code,
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(new RegExp(`/${file}:\\d+\\n.*columns\\['TARGET_COLUMN'\\]`));
    },
  );
});

describe('slips that stay silent change the submission', () => {
  test.each(featureNames)('missing cells counted as zero in %s', (name) => {
    const file = slip(
      'features.mjs',
      "const number = (cell) => (cell === '' ? Number.NaN : Number(cell));",
      'const number = (cell) => Number(cell);',
    );
    const task = syntheticTask('tabular', 1, 120);
    const wrong = run(task, partsWith(name), file);
    expect(wrong.status).toBe(0);
    expect(wrong.outputs).not.toEqual(run(task, partsWith(name)).outputs);
  });

  test.each([...featureNames, ...mainNames])('the test rows scaled by themselves, with %s', (name) => {
    const task = syntheticTask(FITTING[name] ?? 'tabular', 1, 40);
    const wrong = run(
      task,
      partsWith(name),
      slip('main.mjs', 'const testX = apply(fitted, test);', 'const testX = apply(prepare(test), test);'),
    );
    const right = run(task, partsWith(name));
    expect(wrong.stderr).toBe('');
    expect(wrong.stdout).toBe(right.stdout);
    expect(wrong.outputs).toHaveLength(right.outputs!.length);
    expect(wrong.outputs).not.toEqual(right.outputs);
  });

  test('the logarithm not inverted is far off', () => {
    const task = fitting('log-target');
    const parts = { target: 'log-target', features: 'tabular-encoding' };
    const wrong = run(task, parts, slip('target.mjs', 'Math.expm1(value)', '(value)'));
    expect(wrong.status).toBe(0);
    expect(loss(task, wrong.outputs!)).toBeGreaterThan(3 * loss(task, run(task, parts).outputs!));
  });

  test.each(mainNames)('validation rows that were trained on flatter, in %s', (name) => {
    const task = fitting(name);
    const parts = { ...partsWith(name), model: 'random-forest', features: 'tabular-encoding' };
    const score = (stdout: string) => Number(stdout.split(': ')[1]);
    const wrong = run(
      task,
      parts,
      slip(
        'main.mjs',
        'const fitRows = pick(train, (i) => i % 4 !== 0);',
        'const fitRows = pick(train, () => true);',
      ),
    );
    expect(wrong.status).toBe(0);
    expect(score(wrong.stdout)).toBeLessThan(score(run(task, parts).stdout) - 0.03);
  });
});

/** A main.mjs that tries all combinations in one process. */
function matrix(): string {
  const modules = (names: string[], kind: string) =>
    `{ ${names.map((n) => `'${n}': await import('./${kind}-of-${n.replace('.mjs', '')}.mjs')`).join(', ')} }`;
  return `import { read } from './read.mjs';
const features = ${modules(featureNames, 'features')};
const targets = ${modules(targetNames, 'target')};
const models = ${modules(modelNames, 'model')};
const [train, test] = [read('train'), read('test')];
const failed = [];
let tried = 0;
for (const [f, { check, prepare, apply }] of Object.entries(features)) {
  check(train);
  const fitted = prepare(train);
  const [X, open] = [apply(fitted, train), apply(fitted, test)];
  if (!X[0].length || ![...X, ...open].flat().every(Number.isFinite)) failed.push(f);
  for (const [t, { encode, decode }] of Object.entries(targets)) {
    const target = encode(train);
    for (const [m, { fit, predict }] of Object.entries(models)) {
      tried++;
      const scores = predict(fit(X, target.Y, target.classes !== null), open);
      const outputs = decode(target, scores, test);
      const fine = scores.every((row) => row.length === target.k && row.every(Number.isFinite));
      const sums = target.classes === null || scores.every((row) => Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-9);
      if (!fine || !sums || outputs.length !== test.n || !outputs.every((o) => typeof o === 'string' && o !== 'NaN')) failed.push([f, t, m]);
    }
  }
}
console.log(JSON.stringify({ tried, failed }));
`;
}
