/** The rules of the tree as functions of its files, so that each can be shown to fail on a made-up tree. */
import { dirname, join, normalize } from 'node:path/posix'

/** Source texts by path from the root of the checkout, with `/`. */
export type Tree = ReadonlyMap<string, string>

interface Import {
  /** The path of the file in the tree, or the name of a package. */
  readonly target: string
  /** Only types: gone when compiled. */
  readonly erased: boolean
}

/** What everybody may import. */
const contracts = ['core/address.ts', 'core/errors.ts', 'core/events.ts', 'core/plugin.ts']

/** What plugins may import: `bailiff/plugin`, as plugins of others have it. */
const publicApi = 'core/plugin.ts'

/** What rooms may import beside them: how what flows between them is read and written as numbers. */
const flowing = [...contracts, 'core/address-words.ts', 'core/failure-rows.ts']

/** Rooms that know nothing but the contracts and themselves. */
const rooms = [
  'settings',
  'intake',
  'matching',
  'judging',
  'store',
  'enforcing',
  'firewall',
  'control',
  'rights',
  'systemd',
  'host-look',
].map((name) => `core/${name}/`)

/** The language of patterns, which the native dialect and Fail2ban's have in common. */
const patternLanguage = ['pattern-', 'character-', 'linear.ts', 'unicode-tables.ts'].map(
  (name) => `core/matching/${name}`,
)

/** What a matching worker must never load: parts that decide and act, and ways out of the process. */
const closedToWorkers = [
  ...['judging', 'store', 'enforcing', 'firewall', 'control', 'intake', 'settings', 'fail2ban/counting'].map(
    (name) => `core/${name}/`,
  ),
  ...['net', 'http', 'https', 'http2', 'tls', 'dgram', 'dns', 'dns/promises', 'child_process', 'cluster'].map(
    (name) => `node:${name}`,
  ),
]

/** What runs plugins needs what plugins are given and how they are named, and nothing of the stages. */
const aroundPlugins = [
  'core/host.ts',
  'core/options-schema.ts',
  'core/plugin-options.ts',
  'core/plugin-resolution.ts',
  'core/enforcing/call-each.ts',
  'core/enforcing/deadline.ts',
  'core/firewall/helper-command.ts',
  'core/intake/path-pattern.ts',
  'core/intake/program-output.ts',
  'core/packages/manifest.ts',
  'core/settings/plugin-use.ts',
]

/** What runs matchers in WebAssembly needs of matching, and when somebody is put aside. */
const aroundModules = ['core/matching/', 'core/plugin-host/strikes.ts', 'matchers/scan/kernel.ts']

const vagueNames = /^(?:utils?|helpers|types?|constants?|managers?|services?|base|common|misc|context|shared)$/

/** Which file imports what it may not: one sentence each. */
export function importViolations(tree: Tree): string[] {
  return [...tree].flatMap(([file, text]) => {
    const allowed = mayImport(file)
    if (allowed === null) return []
    return importsOf(file, text)
      .filter(({ target }) => isOfTree(target) && !allowed.some((prefix) => target.startsWith(prefix)))
      .map(({ target }) => `${file} imports ${target}`)
  })
}

/**
 * What a process or thread would load that it must not: matching workers nothing that decides, acts or
 * reaches the network, the firewall helper nothing but its own room and `core/address.ts`.
 */
export function reachViolations(tree: Tree): string[] {
  const workers = [...tree.keys()].filter(
    (file) =>
      file === 'core/matching/worker.ts' ||
      file === 'core/wasm-matcher/thread.ts' ||
      /^matchers\/[^/]+\/index\.ts$/.test(file),
  )
  return [
    ...workers.flatMap((start) =>
      reached(tree, start)
        .filter(
          ({ from, target }) => closedToWorkers.some((closed) => isIn(target, closed)) && !isAddressGate(from, target),
        )
        .map(({ from, target }) => `${start} reaches ${target} through ${from}`),
    ),
    ...reached(tree, 'core/firewall/main.ts')
      .filter(({ from, target }) => !mayHelperLoad(from, target))
      .map(({ from, target }) => `core/firewall/main.ts reaches ${target} through ${from}`),
  ]
}

/**
 * Plugins whose name is not lower-case kebab, or that have no test of their name. A plugin `a.ts` may have parts in a
 * folder `a` beside it.
 */
export function pluginViolations(files: readonly string[]): string[] {
  return files.flatMap((file) => {
    const [, kind, name = ''] = /^plugins\/([^/]+)\/(.+)\.ts$/.exec(file) ?? []
    if (kind === undefined || isPackage(kind) || files.includes(`${partsOf(file)?.replace(/\/$/, '')}.ts`)) return []
    const found: string[] = []
    if (!/^(?:source|action|notifier)s$/.test(kind)) found.push(`${file} is of no kind`)
    if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) found.push(`${file} is not named in lower-case kebab`)
    if (!files.includes(`test/plugins/${kind}/${name}.test.ts`)) found.push(`${file} has no test`)
    return found
  })
}

/** Whether a folder of `plugins/` holds packages of their own, which are not built in. */
function isPackage(folder: string): boolean {
  return folder === 'create-bailiff-plugin' || folder === 'examples'
}

/** Source files whose name says nothing, or is not lower-case kebab. */
export function nameViolations(files: readonly string[]): string[] {
  return files
    .filter((file) => file.endsWith('.ts'))
    .filter((file) =>
      file
        .replace(/(?:\.test|\.d)?\.ts$/, '')
        .split('/')
        .some((part) => vagueNames.test(part) || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(part)),
    )
    .map((file) => `${file} is a vague name, or not lower-case kebab`)
}

/** Folders of the machines this is written on, and hosts of package registries, that a text names. */
export function privateWords(file: string, text: string): string[] {
  const words = text.matchAll(
    /(?<![\w.-])\/work(?:\/[\w./-]*|(?![\w/-]))|\bregistry\.[\w-]+\.[a-z]{2,}|"resolved": *"[^"]*"/g,
  )
  return Array.from(words, ([word]) => `${file} names ${word}`)
}

/** The beginnings of what a file may import; null: everything. */
function mayImport(file: string): readonly string[] | null {
  if (contracts.includes(file)) return contracts
  if (file.startsWith('core/firewall/nftables-json/')) return ['core/firewall/nftables-json/']
  // The tables of the matcher scan are made of expressions of either dialect.
  if (file.startsWith('core/fail2ban/blocks/'))
    return [...contracts, ...patternLanguage, 'core/fail2ban/', 'matchers/scan/']
  if (file.startsWith('core/fail2ban/')) return [...contracts, ...patternLanguage, 'core/fail2ban/']
  // Threads load the jails of a Fail2ban tree when there are any.
  if (/^core\/matching\/(?:worker|messages)\.ts$/.test(file))
    return [...flowing, 'core/matching/', 'core/fail2ban/lines/', 'core/fail2ban/dates/']
  const room = rooms.find((one) => file.startsWith(one))
  if (room !== undefined) return [...flowing, room]
  if (file.startsWith('core/plugin-host/')) return [...contracts, ...aroundPlugins, 'core/plugin-host/']
  // Matchers in WebAssembly run in threads like those of matching, beside its pool.
  if (file.startsWith('core/wasm-matcher/')) return [...flowing, ...aroundModules, 'core/wasm-matcher/']
  const matcher = /^matchers\/[^/]+\//.exec(file)?.[0]
  // What the plain matcher says is what all others must say, so they may ask its parts.
  if (matcher !== undefined) return [...contracts, matcher, 'matchers/regexp/']
  if (isPackage(/^plugins\/([^/]+)/.exec(file)?.[1] ?? '')) return [packageOf(file)]
  if (file.startsWith('plugins/')) return [publicApi, partsOf(file) ?? file.replace(/\.ts$/, '/')]
  return null
}

/** The folder of the package that a file of `plugins/examples` or of the templates is a part of. */
function packageOf(file: string): string {
  return (
    /^plugins\/(?:examples\/[^/]+|create-bailiff-plugin\/templates\/[^/]+\/[^/]+)\//.exec(file)?.[0] ??
    'plugins/create-bailiff-plugin/'
  )
}

/** The folder of the plugin that a file is a part of; null: it is none. */
function partsOf(file: string): string | null {
  return /^plugins\/[^/]+\/[^/]+\//.exec(file)?.[0] ?? null
}

function mayHelperLoad(from: string, target: string): boolean {
  if (from.startsWith('core/firewall/'))
    return isIn(target, 'core/firewall/') || target === 'core/address.ts' || target.startsWith('node:')
  return from === 'core/address.ts' && (target === 'ipaddr.js' || target.startsWith('node:'))
}

/** The parser of addresses asks `isIP` of node:net, which opens nothing. */
function isAddressGate(from: string, target: string): boolean {
  return from === 'core/address.ts' && target === 'node:net'
}

function isIn(target: string, place: string): boolean {
  return place.endsWith('/') ? target.startsWith(place) : target === place
}

/** Every import that is followed when a file is loaded. */
function reached(tree: Tree, start: string): { from: string; target: string }[] {
  const found: { from: string; target: string }[] = []
  const seen = new Set([start])
  const queue = [start]
  for (let from = queue.pop(); from !== undefined; from = queue.pop()) {
    for (const { target, erased } of importsOf(from, tree.get(from) ?? '')) {
      if (erased) continue
      found.push({ from, target })
      if (!seen.has(target)) queue.push(target)
      seen.add(target)
    }
  }
  return found
}

const importPattern =
  /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm

/** What a file imports: statements at the start of a line, and `import()` of a plain text. */
function importsOf(file: string, text: string): Import[] {
  return Array.from(text.matchAll(importPattern), ([, type, named = '', called = '']) => {
    const specifier = named || called
    const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier
    return { target, erased: type !== undefined }
  })
}

function isOfTree(target: string): boolean {
  return /^(?:core|plugins|matchers|bench|test|config|\.\.)(?:\/|$)/.test(target)
}
