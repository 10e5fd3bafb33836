/** The service over HTTP; every refusal is a Refused with the service's own words. */

import { language } from './i18n.svelte'
import type { FileFacts, Json, Problem, Result, Step, Values } from './types'

export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title)
  }
}

const CLIENT = remembered('danqing-client', () => crypto.getRandomValues(new Uint32Array(4)).join(''))

export async function ask<T>(path: string, options: RequestInit & { json?: unknown } = {}): Promise<T> {
  const { json, ...rest } = options
  const headers: Record<string, string> = { 'Accept-Language': language(), 'Danqing-Client': CLIENT, Accept: 'application/json' }
  if (json !== undefined) headers['Content-Type'] = 'application/json'
  const answer = await fetch(`/v1${path}`, {
    ...rest,
    method: rest.method ?? (json === undefined ? 'GET' : 'POST'),
    headers: { ...headers, ...(rest.headers as Record<string, string>) },
    body: json === undefined ? rest.body : JSON.stringify(json),
  }).catch((error: unknown) => {
    if ((error as Error).name === 'AbortError') throw error
    throw new Refused({ title: 'offline', detail: 'offline' })
  })
  if (!answer.ok) throw new Refused(await problemOf(answer))
  return (answer.status === 204 ? undefined : await answer.json()) as T
}

/** Have something deleted; what another has deleted already is as it should be. */
export async function forget(path: string): Promise<void> {
  try {
    await ask(path, { method: 'DELETE' })
  } catch (error) {
    if (!(error instanceof Refused) || error.problem.status !== 404) throw error
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  const text = await answer.text()
  try {
    return { title: '', detail: '', ...JSON.parse(text), status: answer.status }
  } catch {
    return { title: `${answer.status}`, detail: text.slice(0, 200), status: answer.status }
  }
}

export async function sendPictures(files: Iterable<File>): Promise<{ pictures: FileFacts[]; failed: { name: string; problem: Problem }[] }> {
  const form = new FormData()
  for (const each of files) form.append('file', each, each.name)
  return ask('/pictures', { method: 'POST', body: form })
}

export async function sendPicture(file: Blob, name: string): Promise<FileFacts> {
  const form = new FormData()
  form.append('file', file, name)
  const { pictures } = await ask<{ pictures: FileFacts[] }>('/pictures', { method: 'POST', body: form })
  return pictures[0]
}

export function sendFile<T>(path: string, file: File): Promise<T> {
  const form = new FormData()
  form.append('file', file, file.name)
  return ask<T>(path, { method: 'POST', body: form })
}

export function runChain(picture: string | null, steps: Step[], saving: Record<string, Json>, keep: boolean, signal?: AbortSignal) {
  return ask<{ steps: Result[]; result: Result }>('/run', { json: { picture, steps, saving, keep }, signal })
}

export function runTask(task: string, values: Values, keep = false, signal?: AbortSignal): Promise<Result> {
  return ask(`/run/${task}`, { json: { values, keep }, signal })
}

export function preview(id: string, size: number, format = 'webp'): string {
  return `/v1/pictures/${id}/preview?size=${size}&format=${format}`
}

export function facts(id: string): Promise<FileFacts> {
  return ask(`/pictures/${id}/facts`)
}

/** The files chosen; the same may be chosen again. */
export function filesOf(event: Event & { currentTarget: HTMLInputElement }): File[] {
  const files = [...(event.currentTarget.files ?? [])]
  event.currentTarget.value = ''
  return files
}

/** Ask the browser to save what an address answers with. */
export function save(url: string, name = ''): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}

/** A value of the browser's storage; made and kept where there is none. */
export function remembered(name: string, make: () => string): string {
  try {
    const known = localStorage.getItem(name) ?? make()
    localStorage.setItem(name, known)
    return known
  } catch {
    return make() // a browser that keeps nothing
  }
}

/** What was remembered, member by member, as far as it is of the kind that is wanted: another danqing may have kept it. */
export function recall<T extends object>(name: string, otherwise: T): T {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(name) ?? 'null')
    if (!isLike(found, otherwise)) return otherwise
    const kept = found as Record<string, unknown>
    return Object.fromEntries(Object.entries(otherwise).map(([key, like]) => [key, isLike(kept[key], like) ? kept[key] : like])) as T
  } catch {
    return otherwise
  }
}

function isLike(found: unknown, like: unknown): boolean {
  if (like === null) return found !== undefined // may be anything
  return found !== null && typeof found === typeof like && Array.isArray(found) === Array.isArray(like)
}

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(name, JSON.stringify(value))
  } catch {
    // a browser that keeps nothing still paints
  }
}

export { CLIENT }
