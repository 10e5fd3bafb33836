/** What is painted: the way, the model, the settings of each way, and what has come of them. */

import { untrack } from 'svelte'
import { recall, remember, runTask } from '../lib/api'
import { complain, filledIn, fitting, studio, taskNamed, tell } from '../lib/studio.svelte'
import type { Field, Json, Result, Task, Values } from '../lib/types'
import { Look } from '../mend/look.svelte'

const KEPT = 'danqing-paint'
const FIRST = ['generate', 'traverse', 'more_like', 'mix_styles', 'interpolate', 'loop'] // what people come for

export class Painting {
  readonly look = new Look('paint')
  private readonly kept = recall<{ task: string; values: Record<string, Values> }>(KEPT, { task: 'generate', values: {} })
  chosen = $state(this.kept.task)
  private values = $state<Record<string, Values>>(this.kept.values)
  made = $state.raw<Result | null>(null)
  isBusy = $state(false)
  private stopping: AbortController | null = null
  private last = '' // the task that was looked at

  private readonly tasks = $derived(
    studio.tasks
      .filter((each) => each.kind === 'operator' && modelField(each) && (each.group === 'paint' || !each.takes_picture) && ['pictures', 'film'].includes(each.makes))
      .toSorted((a, b) => rank(a) - rank(b)),
  )
  readonly possible = $derived(this.tasks.filter((each) => fitting(studio.models, modelField(each)!).length))
  readonly wanting = $derived(this.tasks.filter((each) => !this.possible.includes(each))) // a model that is not here

  readonly task = $derived(this.tasks.find((each) => each.name === this.chosen) ?? this.tasks[0])
  private readonly own = $derived(this.task ? (this.values[this.task.name] ?? {}) : {})
  readonly field = $derived(this.task && modelField(this.task))
  readonly models = $derived(this.field ? fitting(studio.models, this.field) : [])
  readonly model = $derived(this.models.find((each) => each.id === (this.field && this.own[this.field.name])) ?? this.models[0])
  readonly fields = $derived((this.task?.fields ?? []).filter((each) => each !== this.field && !each.name.endsWith('alpha')))
  readonly ready = $derived(this.task && this.field && this.model ? { ...this.own, [this.field.name]: this.model.id } : null)
  readonly filled = $derived(this.ready ?? this.own)
  readonly missing = $derived((this.task?.fields ?? []).filter((each) => each.required && each !== this.field && this.own[each.name] === undefined).map((each) => each.name))
  readonly isLive = $derived(Boolean(this.task?.live && this.ready && !this.missing.length))
  readonly file = $derived(this.made?.files[0])

  constructor() {
    // What another tab sent here.
    $effect(() => {
      const { parcel } = studio
      if (!parcel) return
      studio.parcel = null
      if (parcel.task && taskNamed(parcel.task)) {
        this.chosen = parcel.task
        if (parcel.values) this.values[parcel.task] = { ...parcel.values }
      }
      if (parcel.model) this.pick(parcel.model)
    })

    $effect(() => {
      const { look, task } = this
      this.made = null
      if (task && task.name !== this.last) untrack(() => look.clear()) // what another task has painted is no answer
      this.last = task?.name ?? ''
      if (this.isLive && task && this.ready) look.ask({ task: task.name, values: this.ready, size: 1024 })
      else look.clear()
    })

    $effect(() => remember(KEPT, { task: this.chosen, values: this.values }))
  }

  readonly change = (name: string, value: Json): void => {
    if (this.task) this.values[this.task.name] = filledIn(this.own, name, value)
  }

  /** Let a model paint wherever it can; a class of the one before means nothing to it. */
  pick(id: string): void {
    for (const task of this.tasks) {
      const field = modelField(task)
      if (!field || !fitting(studio.models, field).some((each) => each.id === id)) continue
      const { label: _, ...rest } = this.values[task.name] ?? {}
      this.values[task.name] = { ...rest, [field.name]: id }
    }
  }

  /** Paint in full, kept in the gallery. */
  async make(): Promise<Result | null> {
    if (!this.task || !this.ready) return null
    this.isBusy = true
    this.stopping = new AbortController()
    try {
      this.made = await runTask(this.task.name, this.ready, true, this.stopping.signal)
      this.made.notes.forEach(tell)
      return this.made
    } catch (error) {
      complain(error)
      return null
    } finally {
      this.isBusy = false
    }
  }

  stop(): void {
    this.stopping?.abort()
  }
}

function rank(task: Task): number {
  const at = FIRST.indexOf(task.name)
  return at < 0 ? FIRST.length + Number(task.group !== 'paint') : at
}

function modelField(task: Task): Field | undefined {
  return task.fields.find((each) => each.widget === 'model' && each.required)
}
