/** The log of a training as curves and alarms. */

import type { Json } from '../lib/types'

export interface Row {
  step: number
  seen?: number
  seconds?: number
  [name: string]: Json | undefined
}

export interface Line {
  name: string
  points: [number, number][]
}

export interface Plot {
  name: string
  lines: Line[]
}

const AXES = new Set(['step', 'seen', 'seconds', 'at_step'])

/** One plot for each group of numbers of the rows (losses, scores, …), over the pictures seen. */
export function curvesOf(rows: Row[]): Plot[] {
  const plots = new Map<string, Map<string, [number, number][]>>()
  for (const row of rows) {
    const x = row.seen ?? row.step
    for (const [group, value] of Object.entries(row)) {
      if (AXES.has(group) || value === null || value === undefined) continue
      const members: [string, Json][] = typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : [[group, value]]
      for (const [name, number] of members) {
        if (typeof number !== 'number') continue
        const isNegated = /^-[a-z]/i.test(name) // files hold what should be more with a minus, so that less is better
        const plot = plots.get(group) ?? new Map<string, [number, number][]>()
        plots.set(group, plot)
        const shown = isNegated ? name.slice(1).replace(/(low|high)$/, (end) => (end === 'low' ? 'high' : 'low')) : name
        plot.set(shown, [...(plot.get(shown) ?? []), [x, isNegated ? -number : number]])
      }
    }
  }
  return [...plots].map(([name, lines]) => ({ name, lines: [...lines].map(([line, points]) => ({ name: line, points })) })).filter((each) => each.lines.some((line) => line.points.length > 1))
}

/** What the training's doctor said. */
export function alarmsOf(rows: Row[]): string[] {
  const said = rows.filter((row) => row.event && row.words).map((row) => `${row.words}. ${row.remedy ?? ''}`)
  return [...new Set(said)].slice(-5)
}
