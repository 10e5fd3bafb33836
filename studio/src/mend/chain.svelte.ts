/** The picture at hand, the steps on it, and every state they were in. */

import { facts, recall, Refused, remember } from '../lib/api'
import { taskNamed } from '../lib/studio.svelte'
import type { FileFacts, Json, Step, Task, Values } from '../lib/types'
import { ON_PICTURE } from './places'

export interface Link {
  key: number
  task: string
  values: Values
  on: boolean
}

interface Bench {
  picture: FileFacts | null
  links: Link[]
  selected: number | null
}

const KEPT = 'danqing-bench'
const COALESCE = 900 // ms within which changes of one value are one change

export const bench = $state<Bench>(recalled())
export const past = $state({ undo: [] as string[], redo: [] as string[] })
let lastChange = { what: '', at: 0 }
let keys = Math.max(0, ...bench.links.map((each) => each.key))

function recalled(): Bench {
  const found: Bench = recall(KEPT, { picture: null, links: [], selected: null })
  const links = found.links.filter((each) => each && typeof each.key === 'number' && typeof each.task === 'string' && each.values && typeof each.values === 'object')
  return { ...found, picture: typeof found.picture?.id === 'string' ? found.picture : null, links }
}

/** Leave what is not here any more: a picture of another folder, steps of another danqing. */
export async function checkBench(): Promise<void> {
  bench.links = bench.links.filter((each) => taskNamed(each.task))
  if (!bench.picture) return
  const { id } = bench.picture
  try {
    await facts(id)
  } catch (error) {
    if (error instanceof Refused && error.problem.status === 404 && bench.picture?.id === id) bench.picture = null
  }
}

function snapshot(): string {
  return JSON.stringify(bench)
}

/** Change the bench so that it can be undone; changes of the same thing in a row are one. */
function change(what: string, work: () => void): void {
  const now = performance.now()
  if (what !== lastChange.what || now - lastChange.at > COALESCE) {
    past.undo = [...past.undo.slice(-199), snapshot()]
    past.redo = []
  }
  lastChange = { what, at: now }
  work()
  remember(KEPT, bench)
}

export function undo(): void {
  travel('undo', 'redo')
}

export function redo(): void {
  travel('redo', 'undo')
}

function travel(from: 'undo' | 'redo', to: 'undo' | 'redo'): void {
  const state = past[from].at(-1)
  if (!state) return
  past[to] = [...past[to], snapshot()]
  past[from] = past[from].slice(0, -1)
  Object.assign(bench, JSON.parse(state))
  lastChange = { what: '', at: 0 }
  remember(KEPT, bench)
}

export function openPicture(picture: FileFacts, steps: Step[] | null = null): void {
  change(`open ${picture.id}`, () => {
    bench.picture = picture
    if (steps) {
      bench.links = steps.map(({ task, values, on }) => ({ key: (keys += 1), task, values: { ...values }, on: on !== false }))
      bench.selected = bench.links.at(-1)?.key ?? null
    } else {
      for (const link of bench.links) for (const name of placesOf(link.task)) delete link.values[name]
    }
  })
}

/** Fields that mean a place of one picture, and nothing on another. */
function placesOf(task: string): string[] {
  return (taskNamed(task)?.fields ?? []).filter((each) => ON_PICTURE.includes(each.widget)).map((each) => each.name)
}

export function addLink(task: string): void {
  change(`add ${keys}`, () => {
    keys += 1
    bench.links.push({ key: keys, task, values: {}, on: true })
    bench.selected = keys
  })
}

export function removeLink(key: number): void {
  change(`remove ${key}`, () => {
    const at = bench.links.findIndex((each) => each.key === key)
    bench.links = bench.links.filter((each) => each.key !== key)
    if (bench.selected === key) bench.selected = (bench.links[at] ?? bench.links[at - 1])?.key ?? null
  })
}

export function moveLink(key: number, by: number): void {
  const from = bench.links.findIndex((each) => each.key === key)
  const to = from + by
  if (from < 0 || to < 0 || to >= bench.links.length) return
  change(`move ${key} ${performance.now()}`, () => {
    const [link] = bench.links.splice(from, 1)
    bench.links.splice(to, 0, link)
  })
}

export function switchLink(key: number): void {
  change(`switch ${key} ${performance.now()}`, () => {
    const link = bench.links.find((each) => each.key === key)
    if (link) link.on = !link.on
  })
}

export function setValue(key: number, name: string, value: Json): void {
  change(`set ${key} ${name}`, () => {
    const link = bench.links.find((each) => each.key === key)
    if (!link) return
    if (value === null || value === '') delete link.values[name]
    else link.values[name] = value
  })
}

export function clearLinks(): void {
  change(`clear ${performance.now()}`, () => {
    bench.links = []
    bench.selected = null
  })
}

export function select(key: number | null): void {
  bench.selected = key
  remember(KEPT, bench)
}

/** What a step still wants before it can be done: its required fields without a value. */
export function wants(link: Link, task: Task | undefined = taskNamed(link.task)): string[] {
  return (task?.fields ?? []).filter((each) => each.required && each.name !== task?.subject && link.values[each.name] === undefined).map((each) => each.name)
}

/** Steps that make a picture of a picture are the chain; what only looks at it is a reading, done last and alone. */
export function isReading(task: Task | undefined): boolean {
  return task !== undefined && !['pictures', 'mended'].includes(task.makes)
}

/** The links that are steps of the chain as they are. */
export function working(links: Link[]): Link[] {
  return links.filter((each) => each.on && !isReading(taskNamed(each.task)) && !wants(each).length)
}

export function stepsOf(links: Link[]): Step[] {
  return working(links).map(({ task, values }) => ({ task, values }))
}
