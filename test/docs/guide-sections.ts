import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../plugins/created-project.ts'

/** The sections of `docs/writing-plugins.md` whose heading is meant, in their order. */
export function guideSections(isMeant: (heading: string) => boolean): string {
  const guide = readFileSync(join(root, 'docs/writing-plugins.md'), 'utf8')
  return guide
    .split(/^(?=## )/m)
    .filter((section) => isMeant(/^## (.*)/.exec(section)?.[1] ?? ''))
    .join('')
}
