/** What is painted: the way, the model, the settings of each way, and what has come of them. */

import { untrack } from 'svelte'
import { recall, remember, runTask } from '../lib/api'
import { held, isFile, seen } from '../lib/found'
import { called } from '../lib/i18n.svelte'
import { begin, isLiving, jobs, tellJob } from '../lib/jobs.svelte'
import { complain, filledIn, fitting, isPainting, isQuick, modelField, studio, taskNamed, tell } from '../lib/studio.svelte'
import type { Json, Result, Task, Values } from '../lib/types'
import { Look } from '../mend/look.svelte'

const KEPT = 'danqing-paint'
const FIRST = ['generate', 'traverse', 'more_like', 'mix_styles', 'interpolate', 'loop', 'project', 'find_directions', 'steer'] // what people come for
const SOON = 64 // pictures that are painted while one waits
const STEPWISE = 4 // times fewer, by a model that goes step by step

export class Painting {
  readonly look = new Look('paint')
  private readonly kept = recall<{ task: string; values: Record<string, Values> }>(KEPT, { task: 'generate', values: {} })
  chosen = $state(this.kept.task)
  private values = $state<Record<string, Values>>(this.kept.values)
  private made = $state.raw<Result | null>(null)
  isBusy = $state(false)
  private stopping: AbortController | null = null
  private last = '' // the task that was looked at

  private readonly tasks = $derived(studio.tasks.filter(isPainting).toSorted((a, b) => rank(a) - rank(b)))
  readonly possible = $derived(this.tasks.filter((each) => fitting(studio.models, modelField(each)!).length))
  readonly wanting = $derived(this.tasks.filter((each) => !this.possible.includes(each))) // a model that is not here

  readonly task = $derived(this.tasks.find((each) => each.name === this.chosen) ?? this.tasks[0])
  private readonly own = $derived(this.task ? (this.values[this.task.name] ?? {}) : {})
  readonly field = $derived(this.task && modelField(this.task))
  readonly models = $derived(this.field ? fitting(studio.models, this.field) : [])
  readonly model = $derived(this.models.find((each) => each.id === (this.field && this.own[this.field.name])) ?? this.models.find(isQuick) ?? this.models[0])
  readonly fields = $derived((this.task?.fields ?? []).filter((each) => each !== this.field && !each.name.endsWith('alpha')))
  readonly ready = $derived(this.task && this.field && this.model ? { ...this.own, [this.field.name]: this.model.id } : null)
  readonly filled = $derived(this.ready ?? this.own)
  readonly missing = $derived((this.task?.fields ?? []).filter((each) => each.required && each !== this.field && this.own[each.name] === undefined).map((each) => each.name))
  readonly isLive = $derived(Boolean(this.task?.live && this.ready && !this.missing.length))
  readonly isLong = $derived(Boolean(this.task && (!this.task.live || this.count > (this.model && !isQuick(this.model) ? SOON / STEPWISE : SOON))))

  /** The job that makes what the form asks for, or has made it; one that works goes before. */
  readonly job = $derived.by(() => {
    const mine = jobs.all.filter((each) => each.task === this.task?.name)
    return mine.find(isLiving) ?? mine.find((each) => this.ready && spelt(each.values) === spelt(this.ready))
  })

  readonly works = $derived(Boolean(this.job && isLiving(this.job)))
  readonly result = $derived(this.made ?? this.job?.result ?? null)
  readonly file = $derived(seen(this.result?.files ?? []))
  readonly problem = $derived(this.look.problem ?? this.job?.error ?? null)

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

  /** How many pictures the form asks for. */
  private get count(): number {
    const counts = this.fields.filter((each) => each.unit === 'pictures')
    return counts.reduce((product, each) => product * Number(this.own[each.name] ?? each.default ?? 1), 1)
  }

  /** Let a model paint wherever it can; a class of the one before, and what was found in that, mean nothing to it. */
  pick(id: string): void {
    for (const task of this.tasks) {
      const field = modelField(task)
      if (!field || !fitting(studio.models, field).some((each) => each.id === id)) continue
      const kept = Object.entries(this.values[task.name] ?? {}).filter(([name, value]) => !belongs(task, name, value))
      this.values[task.name] = { ...Object.fromEntries(kept), [field.name]: id }
    }
  }

  /** Have it made as a job, which goes on by itself. */
  async begin(): Promise<void> {
    const { task, ready, model } = this
    if (!task || !ready || !model) return
    this.isBusy = true
    try {
      await begin(task.name, ready, `${called(task.title)} · ${model.name.replace(/\.safetensors$/, '')}`)
    } catch (error) {
      complain(error)
    } finally {
      this.isBusy = false
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
    if (this.works && this.job) void tellJob(this.job, 'cancel').catch(complain)
  }
}

function rank(task: Task): number {
  const at = FIRST.indexOf(task.name)
  return at < 0 ? FIRST.length + Number(task.group !== 'paint') : at
}

/** Whether a value means something to the model alone that was there when it was given. */
function belongs(task: Task, name: string, value: Json): boolean {
  const field = task.fields.find((each) => each.name === name)
  return field?.widget === 'label' || Boolean(field && held(field) && isFile(value))
}

/** Values as text, however numbers and the order were spelt. */
function spelt(values: Values): string {
  return JSON.stringify(Object.entries(values).map(([name, value]) => [name, String(value)]).sort())
}
