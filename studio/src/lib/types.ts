/** What the service tells: the shapes of docs/service.md that the page uses. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export type Values = Record<string, Json>

export interface Field {
  name: string
  kind: string
  widget: string
  required: boolean
  optional: boolean
  words: string
  group: string
  default?: Json
  low?: number
  high?: number
  unit?: string
  whole?: boolean
  choices?: string[]
  says?: string[]
  pattern?: string
  model?: { base: string; task: string }
}

export interface Task {
  name: string
  title: string
  group: string
  summary: string
  kind: 'operator' | 'task'
  makes: string
  takes_picture: boolean
  subject: string
  geometry: boolean
  live: boolean
  job_only: boolean
  saving: string[]
  suffixes: string[]
  fields: Field[]
}

export interface FileFacts {
  id: string
  name: string
  type: string
  bytes: number
  width?: number
  height?: number
  depth?: number
  alpha?: boolean
  frames?: number
  made_by_danqing?: boolean
  url: string
}

export interface Result {
  task: string
  state: string
  files: FileFacts[]
  numbers: Json
  notes: string[]
  lines: string[]
  seconds?: number
  gallery?: string | null
}

export interface Step {
  task: string
  values: Values
  on?: boolean
  saving?: Record<string, Json>
}

export interface Progress {
  done: number
  total: number
  share: number | null
  words: string
}

export interface Problem {
  title: string
  detail: string
  status?: number
  parameter?: string
  remedy?: string
  step?: number
  done?: Result[]
}

export interface Job {
  id: string
  task: string
  title: string
  state: string
  position: number
  created: string
  started: string | null
  ended: string | null
  progress: Progress | null
  preview: string | null
  values: Values
  steps: Step[] | null
  notes: string[]
  can: string[]
  error: Problem | null
  result: Result | null
  run?: { family: string; log: string; model: string | null } | null
}

export interface Model {
  id: string
  name: string
  origin: string
  family: string
  base: string
  bases: string[] // itself and all that it derives from
  task: string
  bytes: number
  size: number | null
  channels: number | null
  classes: string[] | null
  licence: string
  scores: Record<string, Json>
  added: string | null
  job: string | null
}

export interface Dataset {
  id: string
  name: string
  pictures: number
  classes: Record<string, number> | null
  origin: string
  report: Report | null
  check: Job | string | null
}

export interface Report {
  suggestion?: string[]
  settings?: { family: string; size: number; budget: string; from_?: string; codec?: string }
  usable?: number
  unusable?: { name: string; reason: string }[]
  sizes?: Json
  modes?: Json
  classes?: Record<string, number>
  duplicates?: Json
  near_duplicates?: Json
  warnings?: string[]
  [name: string]: Json | undefined
}

export interface Item {
  id: string
  made: string
  task: string
  title: string
  files: FileFacts[]
  numbers: Json
  steps: Step[]
  picture: string | null
  job: string | null
}

export interface About {
  version: string
  device: string
  threads: number
  token_required: boolean
  signed_in: boolean
  start: { picture: string | null; pictures: { id: string; name: string }[]; model: string | null }
}
