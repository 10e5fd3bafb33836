/** Pictures while a slider moves: a WebSocket, or server-sent events where there is none. The newest wish wins. */

import { CLIENT } from './api'
import { language } from './i18n.svelte'
import type { Json, Problem, Step, Values } from './types'

export interface Wish {
  task?: string
  values?: Values
  picture?: string | null
  steps?: Step[]
  size?: number
  box?: string | null
  format?: string
}

export interface Seen {
  url: string | null
  width: number
  height: number
  count: number
  columns: number
  numbers: Json
  notes: string[]
  milliseconds: number
}

export interface Listener {
  seen(what: Seen): void
  failed(problem: Problem): void
  progress?(share: number | null, words: string): void
}

interface Answer extends Seen {
  id: number
  channel: string
  type: string
  bytes: number
  share: number | null
  words: string
  problem: Problem
  picture?: string
  format: string
}

const OPEN = 1 // a socket's state
const listeners = new Map<string, { id: number; to: Listener }>()
const session = crypto.getRandomValues(new Uint32Array(4)).join('')
let socket: WebSocket | null = null
let events: EventSource | null = null
let head: Answer | null = null
let waiting: string[] = []
let count = 0
let opened = false

/** Wish for a picture; earlier wishes of the channel are forgotten, and their answers dropped. */
export function wish(channel: string, what: Wish, to: Listener): void {
  count += 1
  listeners.set(channel, { id: count, to })
  send(JSON.stringify({ id: count, channel, format: 'webp', ...what }))
}

/** Wish for nothing any more. */
export function forget(channel: string): void {
  listeners.delete(channel)
}

function send(text: string): void {
  if (events?.readyState === OPEN) void post(text)
  else if (socket?.readyState === OPEN) socket.send(text)
  else {
    waiting = [...waiting.filter((each) => JSON.parse(each).channel !== JSON.parse(text).channel), text]
    if (!socket && !events) connect()
  }
}

function connect(): void {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  try {
    socket = new WebSocket(`${scheme}://${location.host}/v1/live?lang=${language()}`)
  } catch {
    listen()
    return
  }
  socket.binaryType = 'blob'
  socket.onopen = () => {
    opened = true
    flush()
  }
  socket.onmessage = ({ data }) => (typeof data === 'string' ? answered(JSON.parse(data)) : painted(data as Blob))
  socket.onclose = () => {
    socket = null
    head = null
    if (!opened) listen()
    else if (listeners.size) setTimeout(() => waiting.length && connect(), 1000)
  }
}

function flush(): void {
  const now = waiting
  waiting = []
  now.forEach(send)
}

/** Without a WebSocket. */
function listen(): void {
  events = new EventSource(`/v1/live/events?session=${session}&lang=${language()}`)
  for (const type of ['result', 'progress', 'problem', 'dropped'])
    events.addEventListener(type, ({ data }) => answered({ type, ...JSON.parse(data) }))
  events.onopen = flush
}

function post(text: string): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json', 'Accept-Language': language(), 'Danqing-Client': CLIENT }
  return fetch(`/v1/live/wishes?session=${session}`, { method: 'POST', headers, body: text }).catch(() => undefined)
}

function answered(answer: Answer): void {
  const known = listeners.get(answer.channel)
  const wanted = known && known.id === answer.id ? known.to : null
  if (answer.type === 'result' && answer.bytes && !answer.picture) head = answer
  else if (!wanted) return
  else if (answer.type === 'result') wanted.seen({ ...answer, url: answer.picture ?? null })
  else if (answer.type === 'problem') wanted.failed(answer.problem)
  else if (answer.type === 'progress') wanted.progress?.(answer.share, answer.words)
}

function painted(data: Blob): void {
  const answer = head
  head = null
  const known = answer && listeners.get(answer.channel)
  if (!answer || !known || known.id !== answer.id) return
  const blob = new Blob([data], { type: `image/${answer.format}` })
  known.to.seen({ ...answer, url: URL.createObjectURL(blob) })
}
