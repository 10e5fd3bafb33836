/** The step at hand: what it works on, what it still wants, and which of its fields is being set on the picture. */

import { runChain } from '../lib/api'
import { complain, taskNamed } from '../lib/studio.svelte'
import type { Field, FileFacts, Json, Step, Task } from '../lib/types'
import { addLink, bench, isReading, setValue, stepsOf, wants, working } from './chain.svelte'
import type { Opening } from './opening.svelte'
import { ON_PICTURE } from './places'

export const FRAME = '#frame' // a box in four numbers, which are set on the picture together
const SIDES = ['left', 'top', 'width', 'height']

export class Hand {
  placing = $state<string | null>(null) // the name of a field, or FRAME
  whole = $state.raw<FileFacts | null>(null) // what the step works on where an earlier one changed its size

  readonly link = $derived(bench.links.find((each) => each.key === bench.selected))
  readonly task = $derived(this.link && taskNamed(this.link.task))
  readonly fields = $derived((this.task?.fields ?? []).filter((each) => each.name !== this.task?.subject && !each.name.endsWith('alpha') && each.widget !== 'file'))
  readonly isFramed = $derived(isFramed(this.fields))
  readonly missing = $derived(this.link ? wants(this.link) : [])

  readonly steps = $derived(stepsOf(bench.links))
  readonly before = $derived(stepsOf(bench.links.slice(0, bench.links.findIndex((each) => each.key === bench.selected))))
  private readonly ready: Step | null = $derived(this.link?.on && !this.missing.length ? { task: this.link.task, values: this.link.values } : null)
  readonly tail = $derived(isReading(this.task) ? this.ready : null)
  readonly reading = $derived(this.task?.makes === 'figures' ? this.ready : null)
  readonly tells = $derived(this.reading !== null || (this.task?.makes === 'mended' && working(bench.links).at(-1)?.key === bench.selected))

  readonly field: { name: string; widget: string } | undefined = $derived.by(() => {
    if (this.opening.busy) return undefined
    if (this.placing === FRAME) return this.isFramed ? { name: FRAME, widget: 'box' } : undefined
    return this.fields.find((each) => each.name === this.placing)
  })
  readonly isPlacing = $derived(this.field !== undefined && this.field.widget !== 'mask')

  constructor(private readonly opening: Opening) {
    // A step behind one that changes the picture's size: its places are in pixels of what that one makes.
    $effect(() => {
      this.whole = null
      if (!bench.picture || !this.field || !this.before.some((each) => taskNamed(each.task)?.geometry)) return
      const stop = new AbortController()
      runChain(bench.picture.id, this.before, { format: 'png' }, false, stop.signal).then(({ result }) => (this.whole = result.files[0]), complain)
      return () => stop.abort()
    })
  }

  /** Make a tool the last step; what it wants to be told on the picture is placed at once. */
  add(task: Task): void {
    addLink(task.name)
    const wanted = task.fields.find((each) => ON_PICTURE.includes(each.widget) && !each.name.endsWith('alpha') && (each.required || each.widget === 'mask' || each.widget === 'corners'))
    this.placing = isFramed(task.fields) ? FRAME : (wanted?.name ?? null)
  }

  /** The key of the link that is the n-th step of what was asked for: those that make a picture, then the one that reads it. */
  keyOf(step: number): number | null {
    return (working(bench.links)[step - 1] ?? this.link)?.key ?? null
  }

  valueOf(name: string): Json {
    const values = this.link?.values ?? {}
    if (name !== FRAME) return values[name] ?? null
    return SIDES.every((each) => values[each] !== undefined) ? SIDES.map((each) => values[each]).join(',') : null
  }

  readonly change = (name: string, value: Json): void => {
    if (this.link) setValue(this.link.key, name, value)
  }

  /** Set the field that is being placed, spelt as its form spells it. */
  place(said: string): void {
    if (!this.field) return
    if (this.field.name !== FRAME) this.change(this.field.name, said)
    else said.split(',').forEach((each, at) => this.change(SIDES[at], Number(each)))
  }
}

function isFramed(fields: Field[]): boolean {
  return SIDES.every((name) => fields.some((each) => each.name === name && each.unit === 'px'))
}
