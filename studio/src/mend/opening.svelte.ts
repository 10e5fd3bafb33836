/** Opening a picture: it is seen as the browser reads it until the service has it, which keeps every byte of the file. */

import { sendPictures } from '../lib/api'
import { t } from '../lib/i18n.svelte'
import { complain, tell } from '../lib/studio.svelte'
import { openPicture } from './chain.svelte'

interface Glance {
  url: string
  width: number
  height: number
  name: string
}

export class Opening {
  glance = $state.raw<Glance | null>(null)
  busy = $state(false)
  private turns = 0

  /** Open the first of some files. */
  async open(files: File[]): Promise<void> {
    if (!files.length) return
    const turn = (this.turns += 1)
    this.busy = true
    this.see(null)
    this.look(files[0], turn)
    try {
      const { pictures, failed } = await sendPictures(files.slice(0, 1))
      failed.forEach((each) => complain(`${each.name}: ${each.problem.detail}`))
      if (turn !== this.turns) return // another was chosen since
      if (pictures[0]) openPicture(pictures[0])
      if (files.length > 1) tell(t('The first of {0} is open. For all of them: "Do this to many pictures".', files.length))
    } catch (error) {
      complain(error)
    } finally {
      if (turn === this.turns) {
        this.turns += 1 // a glance that comes later is too late
        this.busy = false
        this.see(null)
      }
    }
  }

  /** What the browser cannot read, such as a TIFF, is seen when the service has it. */
  private look(file: File, turn: number): void {
    const url = URL.createObjectURL(file)
    const image = new Image()
    image.onload = () => {
      if (turn === this.turns && image.naturalWidth) this.see({ url, width: image.naturalWidth, height: image.naturalHeight, name: file.name })
      else URL.revokeObjectURL(url)
    }
    image.onerror = () => URL.revokeObjectURL(url)
    image.src = url
  }

  private see(glance: Glance | null): void {
    if (this.glance) URL.revokeObjectURL(this.glance.url)
    this.glance = glance
  }
}
