import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { HostTree } from '../../../core/host-look/host-tree.ts'

const folder = mkdtempSync(join(tmpdir(), 'bailiff-host-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** A tree of these files by path; `-> target` makes a link, and a name that ends in `/` a folder. */
export function fakeHost(files: Readonly<Record<string, string>>): HostTree {
  const root = mkdtempSync(join(folder, 'h-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, `${name}x`)), { recursive: true })
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), join(root, name))
    else if (!name.endsWith('/')) writeFileSync(join(root, name), text)
  }
  return new HostTree(root)
}
