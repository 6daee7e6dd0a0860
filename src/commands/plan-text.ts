import { count, counted, dollars, rough, span, table } from '../report/format.ts';
import type { Role } from '../suite/suite.ts';
import { lines } from '../wrap.ts';
import { expectationRows } from './expectation.ts';
import type { Plan } from './plan.ts';

/** The plan for people, at most 110 columns; where `tasks` is a text it stands as it is. */
export function planText(
  plan: Omit<Plan, 'suite'> & {
    suite: Omit<Plan['suite'], 'tasks'> & { tasks: Record<Role, number> | string };
  },
): string {
  const { tasks } = plan.suite;
  const { all, first, basis } = plan.calls;
  const { agent, mutator, critic } = plan.models;
  const cost =
    all.usd === null || first.usd === null
      ? 'no price known'
      : `about $${dollars(all.usd)}; the first generation about $${dollars(first.usd)}`;
  const calls = [
    ['calls', `about ${rough(all.calls)}: ${rough(all.tokensIn)} tokens in, ${rough(all.tokensOut)} out`],
    ['money', cost],
    ['basis', basis],
  ];
  const real = [agent, mutator, critic].some(({ endpoint }) => endpoint !== null);
  const rows = [
    ['suite', `${plan.suite.name} ${plan.suite.version} (${plan.suite.dir})`],
    ['tasks', typeof tasks === 'string' ? tasks : rolesText(tasks)],
    ...plan.warnings.map((line) => ['warning', line]),
    ['founders', `${plan.founders.join(', ')}; compared with ${plan.baseline}`],
    ['agent', named(agent)],
    ['mutator', named(mutator)],
    ['critic', named(critic)],
    ...(plan.frozen.length > 0 ? [['frozen', plan.frozen.join(', ')]] : []),
    ['search', searchText(plan)],
    ['trials', trialsText(plan)],
    ...expectationRows(plan.finds, plan.claimShare),
    ['jobs', `about ${count(plan.jobs.expected)} distinct ones, on ${plan.jobs.on}`],
    ...(real ? calls : []),
    ['time', `about ${span(plan.ms.expected)}: ${plan.ms.basis}`],
    ['writes to', plan.out],
  ];
  return table(rows.flatMap(wrapped), [0, 1]);
}

/** What stands beside a title of at most 9 characters, on lines that 110 columns hold. */
function wrapped([title, body]: string[]): string[][] {
  return lines(body!, 99).map((line, i) => [i === 0 ? title! : '', line]);
}

function trialsText({ trials, control }: Pick<Plan, 'trials' | 'control'>): string {
  const arms = control.map(({ arm, trials: own }) => `${arm} ${count(own)}`);
  const included = arms.length === 0 ? '' : `, control arms included: ${arms.join(', ')}`;
  return `about ${count(trials.expected)}, at most ${count(trials.most)}${included}`;
}

function searchText({
  population,
  generations,
  seed,
  search,
}: Pick<Plan, 'population' | 'generations' | 'seed' | 'search'>): string {
  const { strategy, without, generations: expected } = search;
  const how =
    strategy === 'chain' ? 'a chain' : `${strategy === 'random' ? 'random, ' : ''}population ${population}`;
  const rounds =
    expected < generations ? `about ${counted(expected, 'generation')}` : counted(generations, 'generation');
  const less = without.length === 0 ? '' : `, without ${without.join(', ')}`;
  return `${how}, ${rounds}, seed ${seed}${less}`;
}

function rolesText({ search, validation, sealed }: Record<Role, number>): string {
  return `${search} search, ${validation} validation, ${sealed} sealed`;
}

function named({ model, endpoint }: { model: string; endpoint: string | null }): string {
  return endpoint === null ? `${model}, a stand-in, in process` : `${model} at ${endpoint}`;
}
