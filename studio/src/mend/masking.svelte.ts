/** Drawing the mask of the field at hand, by pointer, keys and buttons, and sending it when it has changed. */

import type { Knot } from '../form/curve'
import { preview, sendPicture } from '../lib/api'
import { t } from '../lib/i18n.svelte'
import { complain } from '../lib/studio.svelte'
import { bench, setValue } from './chain.svelte'
import type { Hand } from './hand.svelte'
import { Mask, type Tool } from './mask.svelte'

export const TOOLS: { name: Tool; words: string; key: string }[] = [
  { name: 'brush', words: 'Brush', key: 'B' },
  { name: 'eraser', words: 'Eraser', key: 'E' },
  { name: 'box', words: 'Box', key: 'R' },
  { name: 'fill', words: 'Fill', key: 'F' },
]
export const [THINNEST, THICKEST] = [2, 160] // radii

export class Masking {
  mask = $state.raw<Mask | null>(null)
  tool = $state<Tool>('brush')
  radius = $state(24) // screen pixels
  isSeen = $state(true)
  isTouched = $state(false) // since the last result
  rectangle = $state.raw<[Knot, Knot] | null>(null) // a box that is being drawn
  readonly isOn = $derived.by(() => this.hand.field?.widget === 'mask' && this.mask !== null)
  private made = ''
  private sent = 0

  constructor(private readonly hand: Hand) {
    // As large as the picture; what was there before is loaded into it.
    $effect(() => {
      const { field, link } = hand
      if (field?.widget !== 'mask' || !link) {
        this.mask = null
        this.rectangle = null
        this.made = ''
        return
      }
      const target = hand.whole ?? bench.picture
      const name = `${link.key} ${field.name} ${target?.id}`
      if (name === this.made || !target) return
      this.made = name
      const fresh = new Mask(target.width ?? 1, target.height ?? 1)
      const known = link.values[field.name]
      if (typeof known === 'string') fetch(preview(known, 0, 'png')).then((answer) => answer.blob()).then((blob) => fresh.load(blob), complain)
      this.mask = fresh
    })
  }

  /** Begin at a place of the picture; false where there is nothing to be dragged on. */
  press(at: Knot, radius: number, erases: boolean): boolean {
    this.isTouched = true
    if (this.tool === 'fill') {
      this.act((mask) => mask.fill(at))
      return false
    }
    if (this.tool === 'box') this.rectangle = [at, at]
    else this.mask?.stroke(at, radius, this.tool === 'eraser' || erases)
    return true
  }

  drag(to: Knot): void {
    if (this.rectangle) this.rectangle = [this.rectangle[0], to]
    else this.mask?.extend(to)
  }

  release(): void {
    if (this.rectangle) {
      const [[x0, y0], [x1, y1]] = this.rectangle
      this.mask?.box([Math.round(Math.min(x0, x1)), Math.round(Math.min(y0, y1)), Math.round(Math.abs(x1 - x0)), Math.round(Math.abs(y1 - y0))])
      this.rectangle = null
    }
    void this.changed()
  }

  /** Change the mask, and send it. */
  act(work: (mask: Mask) => void): void {
    if (!this.mask) return
    work(this.mask)
    void this.changed()
  }

  async load(file: File): Promise<void> {
    try {
      await this.mask?.load(file)
    } catch {
      complain(t('{0} cannot be read as a picture.', file.name))
      return
    }
    await this.changed()
  }

  /** Take the last mark back, or bring it again; false where there is none. */
  travel(forth: boolean): boolean {
    if (!this.isOn || !this.mask || !(forth ? this.mask.undone : this.mask.marks).length) return false
    this.act((mask) => (forth ? mask.redo() : mask.undo()))
    return true
  }

  /** What a key without others means while a mask is drawn. */
  key(name: string): void {
    const tool = TOOLS.find((each) => each.key.toLowerCase() === name)
    if (tool) this.tool = tool.name
    else if (name === '[') this.radius = Math.max(THINNEST, this.radius - 4)
    else if (name === ']') this.radius = Math.min(THICKEST, this.radius + 4)
    else if (name === 'm') this.isSeen = !this.isSeen
    else if (name === 'i') this.act((mask) => mask.invert())
  }

  /** Let the field be the mask as it is; the newest wins. */
  private async changed(): Promise<void> {
    const { field, link } = this.hand
    if (!this.mask || !field || !link) return
    this.isTouched = true
    const [key, name, current] = [link.key, field.name, this.mask]
    const mine = (this.sent += 1)
    try {
      const id = current.isBlank ? null : (await sendPicture(await current.picture(), 'mask.png')).id
      if (mine === this.sent) setValue(key, name, id)
      if (!id) this.isTouched = false
    } catch (error) {
      complain(error)
    }
  }
}
