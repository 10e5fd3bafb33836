/** What is seen of the picture, as sharp as the eye can tell: the result beside the picture opened, or what the step at hand works on. */

import { preview } from '../lib/api'
import { t } from '../lib/i18n.svelte'
import { taskNamed } from '../lib/studio.svelte'
import { bench } from './chain.svelte'
import type { Hand } from './hand.svelte'
import { Look } from './look.svelte'
import type { Masking } from './masking.svelte'
import type { Opening } from './opening.svelte'

const SIZES = [768, 1280, 2048, 4096, 8192]

interface Sight {
  width: number
  height: number
  before: string | null
  after: string | null
  compares: boolean
}

export class View {
  readonly look = new Look('mend') // the result
  private readonly inner = new Look('mend-input') // what the step at hand works on
  zoom = $state(1) // screen pixels for one of the picture
  private fine = $state(SIZES[0]) // pixels of the longest side that are enough for the eye

  private readonly longest = $derived.by(() => {
    const { glance } = this.opening
    return Math.max(glance?.width ?? bench.picture?.width ?? 1, glance?.height ?? bench.picture?.height ?? 1)
  })
  private readonly size = $derived(Math.min(this.longest, this.fine))
  private readonly plain = $derived(bench.picture ? preview(bench.picture.id, this.size, this.size > 2048 ? 'jpeg' : 'webp') : null)
  private readonly isGeometric = $derived.by(() => this.hand.steps.some((each) => taskNamed(each.task)?.geometry))

  /** While something is placed, what the step works on; else the result, beside the picture opened. */
  readonly shown: Sight = $derived.by(() => {
    const { opening, hand, masking, look, plain } = this
    const { glance } = opening
    if (glance) return { width: glance.width, height: glance.height, before: glance.url, after: null, compares: false }
    const own = { width: bench.picture?.width ?? 1, height: bench.picture?.height ?? 1 }
    const { whole } = hand
    if (hand.field && whole) return { width: whole.width ?? 1, height: whole.height ?? 1, before: preview(whole.id, this.size), after: null, compares: false }
    if (hand.isPlacing) return { ...own, before: hand.before.length ? (this.inner.url ?? plain) : plain, after: null, compares: false }
    if (masking.isOn) return { ...own, before: plain, after: masking.isTouched ? null : look.url, compares: false }
    if (!look.url || !look.shape) return { ...own, before: plain, after: null, compares: false }
    const isSame = !this.isGeometric && Math.abs(look.shape.width / look.shape.height / (own.width / own.height) - 1) < 0.02
    return isSame ? { ...own, before: plain, after: look.url, compares: true } : { ...this.scaled(look.shape), before: null, after: look.url, compares: false }
  })

  /** What is waited for, in words. */
  readonly work = $derived.by(() => {
    const { busy, words, share } = this.look
    if (this.opening.busy) return t('opening')
    return busy ? `${words || t('at work')}${share ? ` · ${Math.round(share * 100)} %` : ''}` : ''
  })

  constructor(private readonly opening: Opening, private readonly hand: Hand, private readonly masking: Masking) {
    const { look, inner } = this

    // After the stage has said how large the picture is seen: before, it may be asked for much larger than it is looked at.
    $effect(() => {
      this.fine = SIZES.find((each) => each >= this.longest * this.zoom * devicePixelRatio * 0.9) ?? 8192
    })

    $effect(() => {
      const steps = hand.reading ? [...hand.steps, hand.reading] : hand.steps
      if (opening.busy) return
      if (!bench.picture || !steps.length) look.clear()
      else look.ask({ picture: bench.picture.id, steps, size: this.size })
    })

    $effect(() => {
      if (look.url) masking.isTouched = false
    })

    $effect(() => {
      if (bench.picture && hand.isPlacing && hand.before.length && !hand.whole) inner.ask({ picture: bench.picture.id, steps: hand.before, size: this.size })
      else inner.clear()
    })
  }

  private scaled(shape: { width: number; height: number }) {
    const factor = Math.max(1, this.longest / this.size)
    return { width: Math.round(shape.width * factor), height: Math.round(shape.height * factor) }
  }
}
