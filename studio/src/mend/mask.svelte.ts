/** A mask as large as the picture: strokes, boxes, fillings, one after the other, each of which can be undone. */

import type { Knot } from '../form/curve'

type Mark =
  | { kind: 'stroke'; points: Knot[]; radius: number; erases: boolean }
  | { kind: 'box'; box: [number, number, number, number]; erases: boolean }
  | { kind: 'fill'; at: Knot }
  | { kind: 'invert' }
  | { kind: 'clear' }
  | { kind: 'image'; image: ImageBitmap }

export type Tool = 'brush' | 'eraser' | 'box' | 'fill'

const INK = '#d2402a'

export class Mask {
  readonly canvas = document.createElement('canvas')
  marks = $state.raw<Mark[]>([])
  undone = $state.raw<Mark[]>([])
  private readonly pen: CanvasRenderingContext2D

  constructor(width: number, height: number) {
    this.canvas.width = width
    this.canvas.height = height
    this.pen = this.canvas.getContext('2d')!
  }

  get isEmpty(): boolean {
    return !this.marks.length
  }

  /** Begin a stroke; `extend` goes on with it. */
  stroke(at: Knot, radius: number, erases: boolean): void {
    this.add({ kind: 'stroke', points: [at], radius, erases })
  }

  extend(at: Knot): void {
    const last = this.marks.at(-1)
    if (last?.kind !== 'stroke') return
    const from = last.points.at(-1)!
    last.points.push(at)
    this.line([from, at], last.radius, last.erases)
  }

  box(box: [number, number, number, number], erases = false): void {
    this.add({ kind: 'box', box, erases })
  }

  fill(at: Knot): void {
    this.add({ kind: 'fill', at })
  }

  invert(): void {
    this.add({ kind: 'invert' })
  }

  clear(): void {
    this.add({ kind: 'clear' })
  }

  async load(source: Blob): Promise<void> {
    this.add({ kind: 'image', image: await maskOf(source, this.canvas.width, this.canvas.height) })
  }

  undo(): void {
    const last = this.marks.at(-1)
    if (!last) return
    this.undone = [...this.undone, last]
    this.marks = this.marks.slice(0, -1)
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height)
    this.marks.forEach((each) => this.draw(each))
  }

  redo(): void {
    const next = this.undone.at(-1)
    if (!next) return
    this.undone = this.undone.slice(0, -1)
    this.marks = [...this.marks, next]
    this.draw(next)
  }

  /** White where something is marked, black elsewhere. */
  async picture(): Promise<Blob> {
    const { width, height } = this.canvas
    const plain = new OffscreenCanvas(width, height)
    const pen = plain.getContext('2d')!
    pen.drawImage(this.canvas, 0, 0)
    pen.globalCompositeOperation = 'source-in'
    pen.fillStyle = '#fff'
    pen.fillRect(0, 0, width, height)
    pen.globalCompositeOperation = 'destination-over'
    pen.fillStyle = '#000'
    pen.fillRect(0, 0, width, height)
    return plain.convertToBlob({ type: 'image/png' })
  }

  /** Whether anything is marked, read from a small copy. */
  get isBlank(): boolean {
    const small = new OffscreenCanvas(64, 64)
    const pen = small.getContext('2d', { willReadFrequently: true })!
    pen.drawImage(this.canvas, 0, 0, 64, 64)
    return !pen.getImageData(0, 0, 64, 64).data.some((value, at) => at % 4 === 3 && value > 0)
  }

  private add(mark: Mark): void {
    this.marks = [...this.marks, mark]
    this.undone = []
    this.draw(mark)
  }

  private draw(mark: Mark): void {
    const { width, height } = this.canvas
    const { pen } = this
    pen.globalCompositeOperation = 'source-over'
    pen.fillStyle = INK
    if (mark.kind === 'stroke') this.line(mark.points, mark.radius, mark.erases)
    else if (mark.kind === 'box') {
      if (mark.erases) pen.clearRect(...mark.box)
      else pen.fillRect(...mark.box)
    } else if (mark.kind === 'clear') pen.clearRect(0, 0, width, height)
    else if (mark.kind === 'image') pen.drawImage(mark.image, 0, 0)
    else if (mark.kind === 'fill') flood(pen, Math.round(mark.at[0]), Math.round(mark.at[1]))
    else {
      pen.globalCompositeOperation = 'source-out'
      pen.fillRect(0, 0, width, height)
      pen.globalCompositeOperation = 'source-over'
    }
  }

  private line(points: Knot[], radius: number, erases: boolean): void {
    const { pen } = this
    pen.globalCompositeOperation = erases ? 'destination-out' : 'source-over'
    pen.strokeStyle = INK
    pen.lineCap = pen.lineJoin = 'round'
    pen.lineWidth = radius * 2
    pen.beginPath()
    pen.moveTo(...points[0])
    for (const point of points.length > 1 ? points.slice(1) : [[points[0][0] + 0.01, points[0][1]] as Knot]) pen.lineTo(...point)
    pen.stroke()
    pen.globalCompositeOperation = 'source-over'
  }
}

/** Fill what lies around a place up to what is marked, a row at a time. */
function flood(pen: CanvasRenderingContext2D, x: number, y: number): void {
  const { width, height } = pen.canvas
  if (x < 0 || y < 0 || x >= width || y >= height) return
  const data = pen.getImageData(0, 0, width, height)
  const pixels = new Uint32Array(data.data.buffer)
  const isFree = (at: number) => pixels[at] >>> 24 < 128
  const ink = 0xff2a40d2
  const seeds = [y * width + x]
  while (seeds.length) {
    const seed = seeds.pop()!
    if (!isFree(seed)) continue
    const row = Math.floor(seed / width) * width
    let left = seed
    let right = seed
    while (left > row && isFree(left - 1)) left -= 1
    while (right < row + width - 1 && isFree(right + 1)) right += 1
    pixels.fill(ink, left, right + 1)
    for (const next of [row - width, row + width]) {
      if (next < 0 || next >= width * height) continue
      for (let at = left - row; at <= right - row; at += 1)
        if (isFree(next + at) && (at === left - row || !isFree(next + at - 1))) seeds.push(next + at)
    }
  }
  pen.putImageData(data, 0, 0)
}

/** A black and white picture as ink that is there or not. */
async function maskOf(source: Blob, width: number, height: number): Promise<ImageBitmap> {
  const image = await createImageBitmap(source)
  const canvas = new OffscreenCanvas(width, height)
  const pen = canvas.getContext('2d', { willReadFrequently: true })!
  pen.drawImage(image, 0, 0, width, height)
  const data = pen.getImageData(0, 0, width, height)
  const pixels = data.data
  for (let at = 0; at < pixels.length; at += 4) {
    pixels[at + 3] = pixels[at]
    pixels[at] = 210
    pixels[at + 1] = 64
    pixels[at + 2] = 42
  }
  pen.putImageData(data, 0, 0)
  return createImageBitmap(canvas)
}
