/** A folder of pictures as one zip, stored and not packed: pictures are packed already. */

const TABLE = Uint32Array.from({ length: 256 }, (_, at) => {
  let value = at
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})
const UTF8 = 0x0800 // the flag that names are in it
const MOST = 0xffffffff // bytes, and 65,535 files: what a zip of the plain kind holds

export interface Entry {
  name: string // with its folders
  file: File
}

export class TooLarge extends Error {}

export async function zipped(entries: Entry[], told: (share: number) => void): Promise<Blob> {
  if (entries.length > 0xffff || entries.reduce((sum, each) => sum + each.file.size + 200, 0) > MOST) throw new TooLarge()
  const parts: BlobPart[] = []
  const central: BlobPart[] = []
  let at = 0
  let listed = 0
  for (const [number, { name, file }] of entries.entries()) {
    const spelt = new TextEncoder().encode(name)
    const facts = [20, UTF8, 0, 0, 0x21, await checked(file), file.size, file.size, spelt.length, 0] // dated 1980: the same folder is the same zip
    const local = record(0x04034b50, facts, 30)
    parts.push(local, spelt, file)
    central.push(record(0x02014b50, [20, ...facts, 0, 0, 0, 0, at], 46), spelt)
    at += 30 + spelt.length + file.size
    listed += 46 + spelt.length
    told((number + 1) / entries.length)
  }
  return new Blob([...parts, ...central, record(0x06054b50, [0, 0, entries.length, entries.length, listed, at, 0], 22)], { type: 'application/zip' })
}

/** Sizes in bytes of the numbers of a record, by its signature. */
const SIZES: Record<number, number[]> = {
  0x04034b50: [2, 2, 2, 2, 2, 4, 4, 4, 2, 2],
  0x02014b50: [2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4],
  0x06054b50: [2, 2, 2, 2, 4, 4, 2],
}

function record(signature: number, numbers: number[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, signature, true)
  let place = 4
  SIZES[signature].forEach((size, at) => {
    if (size === 4) view.setUint32(place, numbers[at], true)
    else view.setUint16(place, numbers[at], true)
    place += size
  })
  return bytes
}

/** CRC-32, as ISO 3309 has it. */
async function checked(file: File): Promise<number> {
  let sum = 0xffffffff
  const reader = file.stream().getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return (sum ^ 0xffffffff) >>> 0
    for (let at = 0; at < value.length; at += 1) sum = TABLE[(sum ^ value[at]) & 0xff] ^ (sum >>> 8)
  }
}

/** The files of a folder that was chosen; what is hidden is left out. */
export function chosenIn(files: File[]): Entry[] {
  return sorted(files.map((file) => ({ name: file.webkitRelativePath || file.name, file })))
}

/** The files that were dropped, and those of folders that were. */
export async function droppedIn({ items, files }: DataTransfer): Promise<Entry[]> {
  const all = [...files] // before anything is waited for: then nobody holds them any more
  const roots = [...items].map((each) => each.webkitGetAsEntry()).filter((each) => each !== null)
  if (!roots.some((each) => each.isDirectory)) return sorted(all.map((file) => ({ name: file.name, file })))
  return sorted((await Promise.all(roots.map(filesUnder))).flat())
}

async function filesUnder(entry: FileSystemEntry): Promise<Entry[]> {
  const name = entry.fullPath.replace(/^\//, '')
  if (entry.isFile) return [{ name, file: await new Promise((done, failed) => (entry as FileSystemFileEntry).file(done, failed)) }]
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const inside: FileSystemEntry[] = []
  for (;;) {
    const some: FileSystemEntry[] = await new Promise((done, failed) => reader.readEntries(done, failed)) // a hundred at a time
    if (!some.length) return (await Promise.all(inside.map(filesUnder))).flat()
    inside.push(...some)
  }
}

function sorted(entries: Entry[]): Entry[] {
  return entries.filter((each) => !each.name.split('/').some((part) => part.startsWith('.'))).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What the one folder is called that all lie in, and them as they lie in it: the folders inside it are classes, it is none. */
export function rooted(entries: Entry[]): { name: string; inside: Entry[] } {
  const [name] = entries[0]?.name.split('/') ?? ['']
  if (!entries.length || !entries.every((each) => each.name.startsWith(`${name}/`))) return { name: '', inside: entries }
  return { name, inside: entries.map((each) => ({ ...each, name: each.name.slice(name.length + 1) })) }
}
