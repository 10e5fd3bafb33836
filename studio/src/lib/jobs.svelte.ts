/** Jobs as the service tells of them, always fresh. */

import { ask } from './api'
import { freshDatasets, freshModels } from './studio.svelte'
import type { Job, Progress, Values } from './types'

export const jobs = $state({ all: [] as Job[], loaded: false })

export const LIVING = ['queued', 'running', 'stopping']

export async function watchJobs(): Promise<void> {
  jobs.all = (await ask<{ jobs: Job[] }>('/jobs?limit=100')).jobs
  jobs.loaded = true
  jobs.all.filter(isLiving).forEach(follow)
  const events = new EventSource('/v1/events')
  events.addEventListener('job', ({ data }) => take(JSON.parse(data)))
}

export function isLiving(job: Job): boolean {
  return LIVING.includes(job.state)
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
  await ask(`/jobs/${job.id}`, { method: 'DELETE' })
  jobs.all = jobs.all.filter((each) => each.id !== job.id)
}

export function take(job: Job): void {
  const known = jobs.all.findIndex((each) => each.id === job.id)
  const before = jobs.all[known]
  if (known >= 0) jobs.all[known] = job
  else jobs.all.unshift(job)
  if (isLiving(job)) follow(job)
  else if (before && isLiving(before)) void Promise.all([freshModels(), freshDatasets()])
}

const followed = new Map<string, EventSource>()

/** Hear of a job's progress until it ends. */
function follow({ id }: Job): void {
  if (followed.has(id)) return
  const events = new EventSource(`/v1/jobs/${id}/events?after=-1`)
  followed.set(id, events)
  const end = () => {
    events.close()
    followed.delete(id)
  }
  events.addEventListener('state', ({ data }) => {
    const job = JSON.parse(data) as Job
    if (!isLiving(job)) end()
    take(job)
  })
  events.addEventListener('progress', ({ data }) => change(id, { progress: JSON.parse(data) as Progress }))
  events.addEventListener('preview', ({ data }) => change(id, { preview: JSON.parse(data).url }))
}

function change(id: string, what: Partial<Job>): void {
  const known = jobNamed(id)
  if (known) Object.assign(known, what)
}
