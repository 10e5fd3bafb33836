/** Boxes, points and corners as a form spells them, and as handles on the picture. */

import type { Knot } from '../form/curve'
import type { Json } from '../lib/types'

export const ON_PICTURE = ['box', 'point', 'corners', 'mask'] // widgets whose values mean places of one picture

export interface Place {
  widget: string
  points: Knot[] // a box: two opposite corners; a point: one; corners: four from the top left, clockwise
}

export function placeOf(widget: string, value: Json, width: number, height: number): Place {
  const found = String(value ?? '').split(/[\s,]+/).filter(Boolean).map(Number)
  const isRead = found.every(Number.isFinite)
  if (widget === 'box') {
    const [l, t, w, h] = isRead && found.length === 4 ? found : [width * 0.2, height * 0.2, width * 0.6, height * 0.6].map(Math.round)
    return { widget, points: [[l, t], [l + w, t + h]] }
  }
  if (widget === 'point') return { widget, points: [isRead && found.length === 2 ? [found[0], found[1]] : [Math.round(width / 2), Math.round(height / 2)]] }
  const given: Knot[] = []
  if (isRead && found.length === 8) for (let at = 0; at < 8; at += 2) given.push([found[at], found[at + 1]])
  const [a, b] = [0.12, 0.88]
  const corners: Knot[] = [[a, a], [b, a], [b, b], [a, b]]
  return { widget, points: given.length ? given : corners.map(([x, y]) => [Math.round(x * width), Math.round(y * height)]) }
}

export function spelt({ widget, points }: Place, width: number, height: number): string {
  if (widget !== 'box') return points.map(([x, y]) => `${Math.round(x)},${Math.round(y)}`).join(' ')
  const keep = (value: number, most: number) => Math.round(Math.min(most, Math.max(0, value)))
  const [x0, x1] = [keep(points[0][0], width), keep(points[1][0], width)].sort((a, b) => a - b)
  const [y0, y1] = [keep(points[0][1], height), keep(points[1][1], height)].sort((a, b) => a - b)
  return [Math.min(x0, width - 1), Math.min(y0, height - 1), Math.max(1, x1 - x0), Math.max(1, y1 - y0)].join(',')
}

export function handlesOf({ widget, points }: Place): Knot[] {
  if (widget !== 'box') return points
  const [[x0, y0], [x1, y1]] = points
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
}

export function outline(place: Place): string {
  return place.widget === 'point' ? '' : handlesOf(place).map((each) => each.join(',')).join(' ')
}

/** A place with one of its handles elsewhere. */
export function moved(place: Place, at: number, to: Knot): Place {
  if (place.widget !== 'box') return { ...place, points: place.points.with(at, to) }
  const [[x0, y0], [x1, y1]] = place.points
  const isLeft = at === 0 || at === 3
  const isTop = at < 2
  return { ...place, points: [[isLeft ? to[0] : x0, isTop ? to[1] : y0], [isLeft ? x1 : to[0], isTop ? y1 : to[1]]] }
}

export function shifted(place: Place, by: Knot): Place {
  return { ...place, points: place.points.map(([x, y]) => [x + by[0], y + by[1]]) }
}

/** The handle within reach of a place on the picture. */
export function handleNear(place: Place, [x, y]: Knot, reach: number): number | null {
  const far = handlesOf(place).map((each) => Math.hypot(each[0] - x, each[1] - y))
  const at = far.indexOf(Math.min(...far))
  return far[at] <= reach || place.widget === 'point' ? at : null
}

export function holds(place: Place, [x, y]: Knot): boolean {
  const xs = place.points.map((each) => each[0])
  const ys = place.points.map((each) => each[1])
  return x > Math.min(...xs) && x < Math.max(...xs) && y > Math.min(...ys) && y < Math.max(...ys)
}
