/** A smooth line through points that never overshoots them (Fritsch and Carlson 1980), as `curves` draws it. */

export type Knot = [number, number]

export function monotone(knots: Knot[], steps = 64): Knot[] {
  const count = knots.length
  const slopes = knots.slice(1).map(([x, y], at) => (y - knots[at][1]) / (x - knots[at][0] || 1e-9))
  const tangents = knots.map((_, at) => {
    if (at === 0) return slopes[0]
    if (at === count - 1) return slopes[count - 2]
    const [before, after] = [slopes[at - 1], slopes[at]]
    return before * after <= 0 ? 0 : (2 * before * after) / (before + after)
  })
  return Array.from({ length: steps + 1 }, (_, number): Knot => {
    const x = number / steps
    if (x <= knots[0][0]) return [x, knots[0][1]]
    const at = knots.findIndex((_, index) => index < count - 1 && x <= knots[index + 1][0])
    if (at < 0) return [x, knots[count - 1][1]]
    const width = knots[at + 1][0] - knots[at][0]
    const u = (x - knots[at][0]) / width
    const y =
      (1 + 2 * u) * (1 - u) ** 2 * knots[at][1] +
      u * (1 - u) ** 2 * width * tangents[at] +
      u ** 2 * (3 - 2 * u) * knots[at + 1][1] +
      u ** 2 * (u - 1) * width * tangents[at + 1]
    return [x, Math.min(1, Math.max(0, y))]
  })
}
