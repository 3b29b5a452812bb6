/** What comes with the package is found by where it stands. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The compiled tree of this package: it has the folders `plugins` and `matchers`. */
export const builtTree = fileURLToPath(new URL('..', import.meta.url))

/** The entry file of each matcher, in the order in which they are asked: `structured`, `scan`, `regexp`, others by name. */
export function matcherFiles(root = builtTree): string[] {
  const rank = (name: string) => ['structured', 'scan', 'regexp'].indexOf(name) >>> 0
  return namesIn(join(root, 'matchers'), '')
    .toSorted((a, b) => rank(a) - rank(b))
    .map((name) => join(root, 'matchers', name, 'index.js'))
}

/** As `matcherFiles`, for who scans in this thread: before them the engine that runs matchers in WebAssembly. */
export function engineFiles(root = builtTree): string[] {
  return [join(root, 'core/wasm-matcher/engine.js'), ...matcherFiles(root)]
}

/** The names of the files in a folder that end so, without the ending; of its folders where there is no ending. */
export function namesIn(folder: string, ending: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => (ending === '' ? entry.isDirectory() : entry.name.endsWith(ending)))
    .map((entry) => entry.name.slice(0, entry.name.length - ending.length))
    .toSorted()
}
