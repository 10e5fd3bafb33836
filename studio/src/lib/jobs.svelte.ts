/** Jobs as the service tells of them, always fresh. */

import { ask, forget } from './api'
import { t } from './i18n.svelte'
import { freshDatasets, freshModels } from './studio.svelte'
import type { Job, Progress, Values } from './types'

export const jobs = $state({ all: [] as Job[], loaded: false })

export const LIVING = ['queued', 'running', 'stopping']

/** Hear of jobs, and look for those that came while nothing was heard: before it began, or while the line was cut. */
export async function watchJobs(): Promise<void> {
  const events = new EventSource('/v1/events')
  events.addEventListener('job', ({ data }) => take(JSON.parse(data)))
  events.addEventListener('open', () => void listJobs())
  await listJobs()
}

async function listJobs(): Promise<void> {
  const known = (await ask<{ jobs: Job[] }>('/jobs?limit=100')).jobs
  known.reverse().forEach(take) // the newest comes first
  jobs.loaded = true
}

export function isLiving(job: Job): boolean {
  return LIVING.includes(job.state)
}

const STATES: Record<string, string> = {
  queued: 'waits', running: 'at work', stopping: 'stopping', paused: 'stopped', done: 'done', failed: 'failed', cancelled: 'cancelled',
} // prettier-ignore

/** What a job is at, in words. */
export function stateOf(job: Job): string {
  return job.state === 'queued' && job.position ? t('waits, {0} before it', job.position) : t(STATES[job.state] ?? job.state)
}

export function jobNamed(id: string | null): Job | undefined {
  return jobs.all.find((each) => each.id === id)
}

export async function begin(task: string, values: Values, title: string): Promise<Job> {
  const job = await ask<Job>('/jobs', { json: { task, values, title } })
  take(job)
  return job
}

export async function tellJob(job: Job, what: 'cancel' | 'pause' | 'resume', more: Values = {}): Promise<void> {
  take(await ask<Job>(`/jobs/${job.id}/${what}`, { json: more }))
}

export async function removeJob(job: Job): Promise<void> {
  await forget(`/jobs/${job.id}`)
  jobs.all = jobs.all.filter((each) => each.id !== job.id)
}

export function take(job: Job): void {
  const known = jobs.all.findIndex((each) => each.id === job.id)
  const before = jobs.all[known]
  if (known >= 0) jobs.all[known] = { ...before, ...job }
  else jobs.all.unshift(job)
  follow(job)
  if (before && isLiving(before) && !isLiving(job)) void Promise.all([freshModels(), freshDatasets()])
}

const followed = new Map<string, EventSource>()

/** Hear of a job's progress while it works; a browser has few connections, so those that wait have none. */
function follow({ id, state }: Job): void {
  const events = followed.get(id)
  if (state === 'running' && !events) followed.set(id, listen(id))
  else if (!LIVING.includes(state)) {
    events?.close()
    followed.delete(id)
  }
}

function listen(id: string): EventSource {
  const events = new EventSource(`/v1/jobs/${id}/events`)
  events.addEventListener('state', ({ data }) => {
    const told = JSON.parse(data) as Job
    if (told.id) take(told)
  })
  events.addEventListener('progress', ({ data }) => change(id, { progress: JSON.parse(data) as Progress }))
  events.addEventListener('preview', ({ data }) => change(id, { preview: JSON.parse(data).url }))
  return events
}

function change(id: string, what: Partial<Job>): void {
  const known = jobNamed(id)
  if (known) Object.assign(known, what)
}
