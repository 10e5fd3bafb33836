/** What was found in a model's latent space and is kept in files: which fields take it, and what goes on from it. */

import { modelField, studio, taskNamed } from './studio.svelte'
import type { Field, FileFacts, Item, Json, Step, Task, Values } from './types'

/** What a field takes of this: `latents` or `directions`, as tasks say that they make it; nothing for other fields. */
export function held(field: Field): string {
  if (field.kind === 'start') return 'latents'
  return field.kind === 'kept' ? field.name : '' // such fields are named after what they take
}

/** Whether a value stands for a file, and not for what a field takes besides. */
export function isFile(value: Json): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

/** What in an item of the gallery has names, such as directions: these, in order. */
export function namesIn(item: Item): string[] {
  const rows = Array.isArray(item.numbers) ? item.numbers : [item.numbers]
  return rows.map((row) => (row as { name?: Json } | null)?.name).filter((name) => typeof name === 'string')
}

/** Of what was made, what people see. */
export function seen(files: FileFacts[]): FileFacts | undefined {
  return files.find((each) => /^(image|video)\//.test(each.type))
}

/** The file that a task makes, and not what lies beside it. */
export function main(task: Task, files: FileFacts[]): FileFacts | undefined {
  return files.find((each) => task.suffixes.some((suffix) => each.name.toLowerCase().endsWith(suffix)))
}

/** How to go on from what a step has found: the tasks that take it, with what they begin with. */
export function ways({ task: name, values }: Step, files: FileFacts[]): { task: Task; values: Values }[] {
  const task = taskNamed(name)
  const file = task && main(task, files)
  const from = task && modelField(task)
  if (!file || !from) return []
  const found = studio.tasks.flatMap((each) => {
    const into = each.fields.find((field) => held(field) === task.makes)
    const to = modelField(each)
    return into && to ? [{ task: each, values: { [to.name]: values[from.name], [into.name]: file.id } }] : []
  })
  return found.toSorted((a, b) => Number(a.task.makes !== 'pictures') - Number(b.task.makes !== 'pictures'))
}
