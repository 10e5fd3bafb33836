/** English is written in the sources; 中文 is a dictionary from it, fetched when it is wanted. */

export type Language = 'en' | 'zh'

let current = $state<Language>('en')
let book = $state.raw<Record<string, string>>({})

export function language(): Language {
  return current
}

export async function startLanguage(): Promise<void> {
  let chosen: string | null = null
  try {
    chosen = localStorage.getItem('danqing-language')
  } catch {
    // decided by the browser alone then
  }
  const wanted = chosen ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en')
  await speak(wanted === 'zh' ? 'zh' : 'en', false)
}

export async function speak(wanted: Language, keep = true): Promise<void> {
  if (wanted === 'zh' && !Object.keys(book).length) book = (await import('./zh.json')).default
  current = wanted
  document.documentElement.lang = wanted === 'zh' ? 'zh-CN' : 'en'
  try {
    if (keep) localStorage.setItem('danqing-language', wanted)
  } catch {
    // not remembered then
  }
}

/** Say something, with {0}, {1} … filled in. */
export function t(english: string, ...filled: (string | number)[]): string {
  const said = (current === 'zh' && book[english]) || english
  return said.replace(/\{(\d)\}/g, (_, number: string) => String(filled[Number(number)]))
}

const SPELT: Record<string, string> = {
  cyclegan: 'CycleGAN',
  dcgan: 'DCGAN',
  mlpgan: 'MLP-GAN',
  pix2pix: 'pix2pix',
  stylegan: 'StyleGAN',
  vae: 'VAE',
} // families that have names in the literature

/** The title of a task. */
export function called(title: string): string {
  if (title in SPELT) return SPELT[title]!
  const said = t(title)
  return said.charAt(0).toUpperCase() + said.slice(1)
}

/** A name out of a schema as people read it: `critic_width` is "Critic width". */
export function named(name: string): string {
  const plain = name.replace(/_+$/, '').replace(/[_-]+/g, ' ').trim()
  if (current === 'zh' && book[plain]) return book[plain]
  if (plain.startsWith('psnr')) return plain.replace('psnr', 'PSNR')
  return plain.charAt(0).toUpperCase() + plain.slice(1)
}

/** What is said with options of the command line, with the names that settings have here. */
export function inPage(text: string): string {
  return text.replace(/--([a-z][a-z-]*)/g, (_, option: string) => (current === 'zh' ? `“${named(option)}”` : `"${named(option)}"`))
}

/** A choice of a field, as it is spelt unless the language has words for it there: "white" is not the same everywhere. */
export function chosen(field: string, choice: string): string {
  return (current === 'zh' && book[`${field}=${choice}`]) || choice.replace(/_/g, ' ')
}

/** A moment, as people write it. */
export function when(moment: string): string {
  return new Date(moment).toLocaleString(current === 'zh' ? 'zh-CN' : undefined, { dateStyle: 'medium', timeStyle: 'short' })
}

/** A whole number or a measure, short. */
export function number(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString(current)
  const size = Math.abs(value)
  return size >= 1e5 || (size < 1e-3 && size > 0) ? value.toExponential(2) : String(Number(value.toPrecision(4)))
}
