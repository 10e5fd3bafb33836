/** What is to be trained, on what and how; and which training is watched. */

import { recall, remember } from '../lib/api'
import { called } from '../lib/i18n.svelte'
import { begin, jobNamed } from '../lib/jobs.svelte'
import { complain, filledIn, studio } from '../lib/studio.svelte'
import type { Json, Report, Values } from '../lib/types'

const KEPT = 'danqing-train'
const FIRST = ['budget', 'size'] // what everyone decides; the rest is behind "more"

export class Plan {
  private readonly kept = recall<{ data: Json; family: string; values: Record<string, Values>; run: string | null }>(KEPT, { data: 'digits', family: '', values: {}, run: null })
  data = $state<Json>(this.kept.data)
  family = $state(this.kept.family)
  private values = $state<Record<string, Values>>(this.kept.values)
  watched = $state<string | null>(this.kept.run)
  private advice = $state<string | null>(null) // the job that says what a training will take
  preparing = $state('') // what else is done with sets of pictures
  isBusy = $state(false)

  readonly families = $derived(studio.tasks.filter((each) => each.makes === 'trained' && each.fields.some((one) => one.widget === 'dataset')))
  readonly task = $derived(this.families.find((each) => each.name === this.family) ?? this.families.find((each) => each.name === 'train-dcgan') ?? this.families[0])
  private readonly source = $derived(this.task?.fields.find((each) => each.widget === 'dataset'))
  readonly own = $derived(this.task ? (this.values[this.task.name] ?? {}) : {})
  readonly fields = $derived(
    (this.task?.fields ?? [])
      .filter((each) => each !== this.source && each.widget !== 'file' && each.name !== 'dry_run')
      .toSorted((a, b) => rank(a.name) - rank(b.name)),
  )
  readonly canAdvise = $derived(this.task?.fields.some((each) => each.name === 'dry_run'))
  readonly dataset = $derived(studio.datasets.find((each) => each.id === this.data))
  readonly told = $derived(jobNamed(this.advice))

  constructor() {
    $effect(() => remember(KEPT, { data: this.data, family: this.family, values: this.values, run: this.watched }))

    // A training, or other work on sets, that another tab wants to be watched.
    $effect(() => {
      if (studio.parcel?.task) {
        const job = jobNamed(studio.parcel.task)
        if (job && !job.run) this.preparing = job.task
        else this.watched = studio.parcel.task
        studio.parcel = null
      }
    })
  }

  readonly change = (name: string, value: Json): void => {
    if (this.task) this.values[this.task.name] = filledIn(this.own, name, value)
  }

  /** Settings that suit the pictures, out of the look through them. */
  take({ family: suited, ...rest }: NonNullable<Report['settings']>): void {
    this.family = `train-${suited}`
    this.values[this.family] = { ...(this.values[this.family] ?? {}), ...rest, ...(this.dataset?.report?.unusable?.length ? { skip_bad: true } : {}) }
  }

  /** Begin, and watch it; whether it has begun. */
  async start(): Promise<boolean> {
    const id = await this.begin()
    if (id) this.watched = id
    return id !== null
  }

  /** Ask what it would take. */
  async advise(): Promise<void> {
    const id = await this.begin({ dry_run: true })
    if (id) this.advice = id
  }

  private async begin(more: Values = {}): Promise<string | null> {
    const { task, source, data, dataset } = this
    if (!task || !source || !data) return null
    this.isBusy = true
    try {
      const title = `${called(task.title.replace(/^train /, ''))} · ${(dataset?.name ?? String(data)).replace(/\.zip$/, '')}`
      return (await begin(task.name, { ...this.own, [source.name]: data, ...more }, title)).id
    } catch (error) {
      complain(error)
      return null
    } finally {
      this.isBusy = false
    }
  }
}

function rank(name: string): number {
  const at = FIRST.indexOf(name)
  return at < 0 ? FIRST.length : at
}
