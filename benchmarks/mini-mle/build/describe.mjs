const higherIsBetter = new Set(['accuracy', 'macro-f1', 'roc-auc', 'quadratic-kappa']);

const explained = {
  accuracy: 'the share of the test rows that are right',
  'macro-f1':
    'the F1 score of every class, averaged over the classes, so that rare classes count as much as common ones',
  'log-loss':
    'the mean negative logarithm of the probability given to what was true; being sure and wrong is expensive',
  'roc-auc':
    'the area under the ROC curve: the share of pairs of a positive and a negative row that are ranked rightly',
  rmse: 'the root of the mean squared error',
  mae: 'the mean absolute error',
  rmsle: 'the root of the mean squared error of log(1 + value), so that errors count by ratio',
  'quadratic-kappa':
    'the agreement with the true ratings beyond chance, disagreements weighted by their square',
};

/** Which way a metric is better. */
export function directionOf(metric) {
  return higherIsBetter.has(metric) ? 'max' : 'min';
}

/**
 * The page of a competition as the agent reads it.
 * @param {{ id: string, metric: string }} task
 * @param {object} data what the generator of the task gave
 * @param {{ train: number, test: number, sample: string }} size rows, and the first lines of the sample submission
 * @returns {string} Markdown
 */
export function describe(task, data, size) {
  const names = Object.keys(data.columns);
  const columns =
    names.length > 14 ? `\`${names[0]}\` … \`${names.at(-1)}\`` : names.map((n) => `\`${n}\``).join(', ');
  const better = directionOf(task.metric) === 'max' ? 'higher is better' : 'lower is better';
  return `# ${data.title}

${data.story.join('\n\n')}

## Evaluation

Metric: ${task.metric} (${better})

That is ${explained[task.metric]}.

## Data

Id column: id
Target column: ${data.targetName}

- \`train.csv\`: ${size.train} rows with the target \`${data.targetName}\` (${data.targetNote})
- \`test.csv\`: ${size.test} rows without the target
- \`sample_submission.csv\`: a submission in the right form

Columns: ${columns}

## Submission

A file \`submission.csv\` with the header \`id,${data.targetName}\` and one line for every row of \`test.csv\`:

\`\`\`
${size.sample}
\`\`\`
${data.credit ? `\nData: ${data.credit}.\n` : ''}`;
}
