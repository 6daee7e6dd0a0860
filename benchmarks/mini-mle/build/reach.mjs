import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadSkillLibrary } from '../../../dist/offline/skills.js';
import { readLeaderboard, shareBeaten } from '../../../dist/suite/leaderboard.js';
import { makeScorer } from './methods.mjs';
import { makeData } from './tables.mjs';
import { TASKS } from './tasks.mjs';
import { FAMILIES } from './zoo.mjs';

/**
 * What share of each leaderboard the agent could reach: a plain first draft (ridge), a forest on the same features as
 * it starts and tuned, and of everything it could write (features × target × model × setting, with and without a
 * blend with ridge) what it would pick by its held-out rows, and the best. Only the last one looks at the answers to
 * choose: a ceiling and no forecast. For sister suites; on the shipped suite only
 * for the final figures.
 *
 *   node reach.mjs --seed 101 --dir DIR [--tasks a,b] [--top N] [--all-features]
 */
const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    dir: { type: 'string' },
    tasks: { type: 'string' },
    top: { type: 'string', default: '1' },
    'all-features': { type: 'boolean' },
  },
});

const ladders = { ridge: [1] };
for (const [name, skill] of Object.entries(loadSkillLibrary())) {
  if (skill.metadata?.ladder) ladders[name] = skill.metadata.ladder.split(' ').map(Number);
}

const sums = { draft: 0, forest: 0, tuned: 0, picked: 0, best: 0 };
const chosen = TASKS.filter((task) => !options.tasks || options.tasks.split(',').includes(task.id));
console.log('task                 role        draft forest  tuned picked  best  with');
for (const task of chosen) {
  const board = readLeaderboard(readFileSync(join(options.dir, 'tasks', task.id, 'leaderboard.csv'), 'utf8'));
  const scorer = await makeScorer(task, makeData(task, Number(options.seed)));
  const { plain, good, target } = FAMILIES[task.family];
  const features = options['all-features']
    ? Object.keys(scorer.components.features)
    : [...new Set([plain, good])];
  const tried = [];
  for (const feature of features) {
    for (const to of new Set(['plain', target])) {
      for (const [model, settings] of Object.entries(ladders)) {
        for (const setting of settings) {
          const member = { features: [feature], model, setting };
          const ridge = { features: [feature], model: 'ridge', setting: 10 };
          const name = `${feature} ${model}=${setting}${to === 'plain' ? '' : ` ${to}`}`;
          tried.push({ name, method: { target: to, members: [member] } });
          if (model !== 'ridge')
            tried.push({ name: `${name} blend`, method: { target: to, members: [member, ridge] } });
        }
      }
    }
  }
  const scored = tried.map(({ name, method }) => {
    try {
      const raw = scorer.score(method);
      return { name, raw, held: scorer.heldOut(method), share: shareBeaten(board, raw) };
    } catch {
      // Components meant for other data may crash here, as they do for the agent.
      return { name, raw: Number.NaN, held: Number.NaN, share: 0 };
    }
  });
  const find = (name) => scored.find((one) => one.name === name).share;
  const best = [...scored].sort((a, b) => b.share - a.share);
  const sign = board.direction === 'max' ? -1 : 1;
  const [picked] = scored.filter((one) => !Number.isNaN(one.held)).sort((a, b) => sign * (a.held - b.held));
  const row = {
    draft: find(`${plain} ridge=1`),
    forest: find(`${plain} random-forest=8`),
    tuned: Math.max(...ladders['random-forest'].map((trees) => find(`${plain} random-forest=${trees}`))),
    picked: picked.share,
    best: best[0].share,
  };
  for (const key of Object.keys(sums)) sums[key] += row[key] / chosen.length;
  const figures = Object.values(row)
    .map((x) => x.toFixed(2).padStart(5))
    .join('  ');
  console.log(
    `${task.id.padEnd(20)} ${(task.distance ?? task.role).padEnd(11)} ${figures}  ${best[0].name} (${best[0].raw.toFixed(4)})`,
  );
  for (const one of best.slice(1, Number(options.top)))
    console.log(`${' '.repeat(48)}${one.share.toFixed(2)}  ${one.name}`);
}
const means = Object.values(sums)
  .map((x) => x.toFixed(2).padStart(5))
  .join('  ');
console.log(`${'mean'.padEnd(20)} ${''.padEnd(11)} ${means}`);
