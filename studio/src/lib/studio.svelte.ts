/** What all tabs share: tasks, models, sets, what is said to people, and what one tab hands to another. */

import { ask, Refused, sendFile } from './api'
import { inPage, named, t } from './i18n.svelte'
import type { About, Dataset, Field, FileFacts, Item, Json, Model, Problem, Step, Task, Values } from './types'

export const TABS = ['mend', 'paint', 'train', 'measure', 'gallery'] as const
export type Tab = (typeof TABS)[number]

export interface Notice {
  id: number
  kind: 'good' | 'bad'
  text: string
  remedy: string
}

/** What a tab is handed by another. */
export interface Parcel {
  picture?: FileFacts
  steps?: Step[]
  model?: string
  task?: string
  values?: Values
}

export const studio = $state({
  tab: tabOf(location.hash),
  about: null as About | null,
  tasks: [] as Task[],
  models: [] as Model[],
  datasets: [] as Dataset[],
  notices: [] as Notice[],
  parcel: null as Parcel | null,
  offline: false,
})

let notices = 0

export function tabOf(hash: string): Tab {
  const name = hash.replace(/^#\/?/, '') as Tab
  return TABS.includes(name) ? name : 'mend'
}

export function go(tab: Tab, parcel: Parcel | null = null): void {
  studio.parcel = parcel
  studio.tab = tab
  history.replaceState(null, '', `#${tab}`)
}

export function taskNamed(name: string): Task | undefined {
  return studio.tasks.find((each) => each.name === name)
}

export async function start(): Promise<void> {
  const [about, { tasks }] = await Promise.all([ask<About>('/about'), ask<{ tasks: Task[] }>('/tasks?brief=1')])
  studio.about = about
  studio.tasks = tasks
  studio.offline = false
}

/** Let settings say what they do in the language that was switched to; forms keep what is filled in. */
export async function retell(): Promise<void> {
  const { tasks } = await ask<{ tasks: Task[] }>('/tasks?brief=1')
  for (const told of tasks) {
    for (const field of taskNamed(told.name)?.fields ?? []) {
      field.words = told.fields.find((each) => each.name === field.name)?.words ?? field.words
    }
  }
}

export async function freshModels(): Promise<void> {
  studio.models = (await ask<{ models: Model[] }>('/models')).models
}

export async function freshDatasets(): Promise<void> {
  studio.datasets = (await ask<{ datasets: Dataset[] }>('/datasets')).datasets
}

/** Have a zip of pictures kept as a set. */
export async function addDataset(file: File): Promise<Dataset> {
  const found = await sendFile<Dataset>('/datasets', file)
  await freshDatasets()
  tell(t('{0} is here.', found.name))
  return found
}

/** The models that a field takes. */
export function fitting(models: Model[], field: { model?: { base: string; task: string } }): Model[] {
  const wanted = field.model
  if (!wanted) return models
  return models.filter((each) => each.bases.includes(wanted.base) && (!wanted.task || each.task === wanted.task))
}

/** Whether a model paints at once; a flow comes to its pictures step by step. */
export function isQuick(model: Model): boolean {
  return !model.bases.includes('FlowPainter')
}

/** The field of a task that says which model works. */
export function modelField(task: Task): Field | undefined {
  return task.fields.find((each) => each.widget === 'model' && each.required)
}

/** Whether a task paints from a model; what measures one stands elsewhere. */
export function isPainting(task: Task): boolean {
  return task.kind === 'operator' && Boolean(modelField(task)) && (task.group === 'paint' || !task.takes_picture) && task.makes !== 'figures'
}

/** Values with one of them changed; what is empty is left out, so that the task's own default holds. */
export function filledIn(values: Values, name: string, value: Json): Values {
  const { [name]: _, ...others } = values
  return value === null || value === '' ? others : { ...values, [name]: value }
}

export function tell(text: string): void {
  notice('good', text, '')
}

/** Say what went wrong, in the service's words. */
export function complain(error: unknown): void {
  if ((error as Error)?.name === 'AbortError') return
  if (error instanceof Refused) {
    const said = wordsOf(error.problem)
    notice('bad', said.text, said.remedy)
  } else notice('bad', String(error), '')
}

export function wordsOf(problem: Problem): { text: string; remedy: string } {
  if (problem.title === 'offline') return { text: t('danqing does not answer. Is it still running?'), remedy: '' }
  const where = problem.parameter ? `${/^[a-z][a-z_0-9]*$/.test(problem.parameter) ? named(problem.parameter) : problem.parameter}: ` : ''
  const step = problem.step ? `${t('Step {0}', problem.step)} · ` : ''
  return { text: ended(inPage(`${step}${where}${problem.detail || problem.title}`)), remedy: ended(inPage(problem.remedy ?? '')) }
}

/** A sentence with its full stop, so that another can follow it. */
function ended(text: string): string {
  return !text || /[.!?…。！？]$/.test(text) ? text : `${text}${/[\u4e00-\u9fff）]$/.test(text) ? '。' : '.'}`
}

function notice(kind: 'good' | 'bad', text: string, remedy: string): void {
  notices += 1
  const id = notices
  studio.notices = [...studio.notices.filter((each) => each.text !== text).slice(-2), { id, kind, text, remedy }]
  setTimeout(() => dismiss(id), kind === 'good' ? 4000 : 12000)
}

export function dismiss(id: number): void {
  studio.notices = studio.notices.filter((each) => each.id !== id)
}

/** Open something of the gallery where it was made, or where it can be worked on. */
export function reopen(item: Item): void {
  const last = taskNamed(item.steps.at(-1)?.task ?? item.task)
  const subject: Values = last && item.picture ? { [last.subject]: item.picture } : {}
  if (last && (isPainting(last) || !last.takes_picture)) go('paint', { task: last.name, values: { ...subject, ...item.steps.at(-1)?.values } })
  else if (item.picture) go('mend', { picture: { id: item.picture } as FileFacts, steps: item.steps })
}
