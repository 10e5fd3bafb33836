/** Light, dark, or as the system has it. */

let dark = $state(false)

export function isDark(): boolean {
  return dark
}

export function startTheme(): void {
  const system = matchMedia('(prefers-color-scheme: dark)')
  const known = kept()
  show(known ? known === 'dark' : system.matches)
  system.addEventListener('change', () => kept() || show(system.matches))
}

export function switchTheme(): void {
  show(!dark)
  try {
    localStorage.setItem('danqing-theme', dark ? 'dark' : 'light')
  } catch {
    // not remembered then
  }
}

function kept(): string | null {
  try {
    return localStorage.getItem('danqing-theme')
  } catch {
    return null
  }
}

function show(wanted: boolean): void {
  dark = wanted
  document.documentElement.dataset.theme = wanted ? 'dark' : 'light'
}
