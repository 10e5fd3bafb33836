/** How the picture becomes: asked for whenever the steps change, shown as soon as it is there. */

import { forget, wish, type Wish } from '../lib/live'
import { complain, wordsOf } from '../lib/studio.svelte'
import type { Json, Problem } from '../lib/types'

export class Look {
  url = $state<string | null>(null)
  shape = $state<{ width: number; height: number } | null>(null)
  numbers = $state.raw<Json>(null)
  notes = $state.raw<string[]>([])
  busy = $state(false)
  share = $state<number | null>(null)
  words = $state('')
  problem = $state.raw<Problem | null>(null)
  milliseconds = $state(0)
  private asked = ''

  constructor(private readonly channel: string) {}

  /** Ask, unless the same was asked for last. */
  ask(what: Wish): void {
    const spelt = JSON.stringify(what)
    if (spelt === this.asked) return
    this.asked = spelt
    this.busy = true
    this.share = null
    this.words = ''
    wish(this.channel, what, {
      seen: (seen) => {
        if (seen.url) {
          this.show(seen.url)
          this.shape = { width: seen.width, height: seen.height }
        }
        this.numbers = seen.numbers
        this.notes = seen.notes
        this.milliseconds = seen.milliseconds
        this.problem = null
        this.busy = false
      },
      failed: (problem) => {
        this.problem = problem
        this.busy = false
        if (!problem.parameter && !problem.step) complain(wordsOf(problem).text)
      },
      progress: (share, words) => {
        this.share = share
        this.words = words
      },
    })
  }

  /** Nothing is asked for any more. */
  clear(): void {
    if (!this.asked) return
    this.asked = ''
    forget(this.channel)
    this.show(null)
    this.shape = null
    this.numbers = null
    this.notes = []
    this.problem = null
    this.busy = false
  }

  private show(url: string | null): void {
    const before = this.url
    this.url = url
    if (before?.startsWith('blob:')) setTimeout(() => URL.revokeObjectURL(before), 500)
  }
}
