import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { codeOf, loadDrafts, loadSkillLibrary } from '../../../dist/offline/skills.js';
import { fillIn } from '../../../dist/offline/write-code.js';

/**
 * The code that the offline agent can write, filled in for one task and imported, by kind and name.
 * @param {{ metric: string }} task
 * @param {string} targetColumn
 * @returns {Promise<{ features: object, targets: object, models: object }>} modules
 */
export async function loadComponents(task, targetColumn) {
  const blanks = { idColumn: 'id', targetColumn, metric: task.metric };
  const drafts = loadDrafts();
  const library = loadSkillLibrary();
  const texts = { features: {}, targets: {}, models: {} };
  const kinds = { features: texts.features, target: texts.targets, model: texts.models };
  const sources = Object.entries(library).map(([name, skill]) => [name, codeOf(skill.body)]);
  for (const [file, code] of Object.entries(drafts))
    sources.push([file.replace(/^(features-|model-|)(\w+)\.mjs$/, '$2'), code]);
  for (const [name, code] of sources) {
    const kind = /^\/\/ (features|target|model):/.exec(code ?? '')?.[1];
    if (kind) kinds[kind][name === 'target' ? 'plain' : name] = code;
  }
  const dir = mkdtempSync(join(tmpdir(), 'mini-mle-zoo-'));
  try {
    writeFileSync(join(dir, 'read.mjs'), drafts['read.mjs']);
    return {
      features: await importAll(dir, 'features', texts.features, blanks),
      targets: await importAll(dir, 'target', texts.targets, blanks),
      models: await importAll(dir, 'model', texts.models, blanks),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function importAll(dir, kind, texts, blanks) {
  const modules = {};
  for (const [name, code] of Object.entries(texts)) {
    const file = join(dir, `${kind}-${name}.mjs`);
    writeFileSync(file, fillIn(code, blanks));
    modules[name] = await import(pathToFileURL(file).href);
  }
  return modules;
}
