// main: fit on three quarters of the training rows, print the validation score, write the submission
import { writeFileSync } from 'node:fs';
import { apply, check, prepare } from './features.mjs';
import { fit, predict } from './model.mjs';
import { pick, quote, read } from './read.mjs';
import { decode, encode } from './target.mjs';

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

// METRIC_FUNCTION

const train = read('train');
const test = read('test');
check(train);
const fitRows = pick(train, (i) => i % 4 !== 0);
const heldRows = pick(train, (i) => i % 4 === 0);

const fitted = prepare(fitRows);
const target = encode(fitRows);
const model = fit(apply(fitted, fitRows), target.Y, target.classes !== null);

const truth = heldRows.columns['TARGET_COLUMN'].map((cell) => cell.trim());
const guesses = decode(target, predict(model, apply(fitted, heldRows)), heldRows);
console.log(`validation METRIC: ${score(truth, guesses).toFixed(4)}`);

const testX = apply(fitted, test);
const outputs = decode(target, predict(model, testX), test);
const lines = test.columns['ID_COLUMN'].map((id, i) => `${quote(id)},${quote(outputs[i])}`);
writeFileSync('submission.csv', `ID_COLUMN,TARGET_COLUMN\n${lines.join('\n')}\n`);
