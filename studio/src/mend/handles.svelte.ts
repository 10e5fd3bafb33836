/** The box, point or corners of the field at hand, dragged on the picture. */

import type { Knot } from '../form/curve'
import type { Hand } from './hand.svelte'
import { handleNear, holds, moved, placeOf, shifted, spelt, type Place } from './places'
import type { View } from './view.svelte'

export class Handles {
  private grip: { at: number | null; from: Knot; place: Place } | null = null // which handle, or all of it

  readonly place = $derived.by(() => {
    const { field, isPlacing } = this.hand
    return field && isPlacing ? placeOf(field.widget, this.hand.valueOf(field.name), this.view.shown.width, this.view.shown.height) : null
  })

  constructor(private readonly hand: Hand, private readonly view: View) {}

  /** Begin at a place of the picture; false where there is nothing to be dragged. */
  press(at: Knot, reach: number): boolean {
    const { place } = this
    if (!place) return false
    const near = handleNear(place, at, reach)
    if (near === null && !holds(place, at)) {
      if (place.widget !== 'box') return false
      const fresh: Place = { widget: 'box', points: [at, at] }
      this.set(fresh)
      this.grip = { at: 2, from: at, place: fresh }
      return true
    }
    this.grip = { at: near, from: at, place }
    if (place.widget === 'point') this.set(moved(place, 0, at))
    return true
  }

  drag(to: Knot): void {
    if (!this.grip) return
    const { at, from, place } = this.grip
    this.set(at === null ? shifted(place, [to[0] - from[0], to[1] - from[1]]) : moved(place, at, to))
  }

  release(): void {
    this.grip = null
  }

  readonly set = (next: Place): void => {
    this.hand.place(spelt(next, this.view.shown.width, this.view.shown.height))
  }
}
