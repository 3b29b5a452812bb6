import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Address } from '../address.ts'
import { printable } from '../errors.ts'
import { createLogScanner } from '../matching/scan.ts'
import type { CompiledFilter } from '../plugin.ts'
import { field } from '../wasm-matcher/abi.ts'
import engine from '../wasm-matcher/engine.ts'
import { guardedModule } from '../wasm-matcher/guarded-module.ts'
import { loadModule, type ModuleUse } from '../wasm-matcher/load-module.ts'
import type { RunningModule } from '../wasm-matcher/module-scanner.ts'
import { ensure, ensureSame, type Check } from './check.ts'
import { hostileLines } from './hostile-inputs.ts'
import { changedLines } from './changed-lines.ts'

/** A matcher in WebAssembly to be tried. */
export interface ModuleSubject {
  /** The path of the `.wasm`. */
  readonly file: string
  /** As the configuration would give them. */
  readonly options?: ModuleUse['options']
  /** Real lines of its format, some that match and some that do not: the more of both, the more is tried. */
  readonly lines?: readonly string[]
  /** Another one changes the lines in other ways. Default 1. */
  readonly seed?: number
}

/** What a matcher in WebAssembly found in one line. */
export interface FoundByModule {
  readonly address: Address
  readonly rule: number
  readonly user: string | null
  /** When the line was written, unix milliseconds; null where neither the matcher nor Bailiff finds a date. */
  readonly time: number | null
}

/** What it finds in each line, as the agent would; null: nothing, or no address. Throws where it cannot be used, or fails. */
export function findByModule({ file, options = {}, lines = [] }: ModuleSubject): (FoundByModule | null)[] {
  const scanner = createLogScanner({ jails: [{ jail: 'tried', filter: filterOf(file, options) }], engines: [engine] })
  return lines.map((line) => {
    const data = Buffer.from(`${line.replaceAll('\n', ' ')}\n`)
    const { matches, slow } = scanner.scan(chunkOf(data))
    const [failure] = slow.flatMap((one) => one.failure ?? [])
    if (failure !== undefined) throw new Error(failure)
    const [found] = matches
    return found === undefined
      ? null
      : { address: found.address, rule: found.rule, user: found.groups.user ?? null, time: found.time }
  })
}

/**
 * What every matcher in WebAssembly keeps: it is one, no line makes it fail, and what it finds in a line depends on that
 * line alone.
 */
export function moduleChecks({ file, options = {}, lines = [], seed = 1 }: ModuleSubject): Check[] {
  let running: RunningModule | null = null
  const module = () => (running ??= guardedModule(loadModule(useOf(file, options)), Infinity))
  const given = lines.map((line) => Buffer.from(line.replaceAll('\n', ' ')))
  return [
    {
      name: 'it imports env.memory alone, exports the interface, and starts',
      remedy: 'make it by "bailiff plugin build"; the guide has the interface for other languages',
      run: async () => module().start(),
    },
    {
      name: 'lines of an enemy are matched or passed over',
      remedy: 'no line may make it trap: look before you read, and expect any byte',
      run: async () => {
        for (const line of [...hostileLines, ...edges(given)]) holdsAlone(module(), line)
        sameTogether(module(), [...hostileLines, ...edges(given)])
      },
    },
    {
      name: 'whatever is changed in a line, it is matched or passed over',
      remedy: 'no line may make it trap: look before you read, and expect any byte',
      run: async () => {
        for (const some of changedLines([...given, ...hostileLines], seed)) sameTogether(module(), some)
      },
    },
    {
      name: 'what it finds in a line depends on that line alone, however lines come together',
      remedy: 'keep nothing from line to line; what is shared must be set anew for each',
      run: async () => {
        const all = [...given, ...hostileLines]
        sameTogether(module(), all)
        sameTogether(module(), all.toReversed())
        for (const line of all) sameTogether(module(), [line, line, line])
      },
    },
    {
      name: 'a log may be cut at every byte',
      remedy: 'it gets whole lines only: find their ends by the newline',
      run: async () => cutEverywhere(filterOf(file, options), given),
    },
    {
      name: 'its memory does not grow with what it has read',
      remedy: 'keep nothing from line to line: memory that is full makes it fail',
      run: async () => {
        const block = together([...given, ...hostileLines.filter((line) => line.length < 1000)])
        for (let i = 0; i < 100; i++) module().scan(block)
        const after = module().memoryBytes
        for (let i = 0; i < 900; i++) module().scan(block)
        ensureSame(module().memoryBytes, after, 'bytes of memory after ten times as many lines')
      },
    },
    ...(given.length === 0 ? [] : [findsSomething(file, options, lines)]),
  ]
}

function findsSomething(file: string, options: ModuleUse['options'], lines: readonly string[]): Check {
  return {
    name: 'it finds an address in one of the lines at least',
    remedy: 'give it lines that match; "bailiff plugin dev" shows what it finds in each',
    run: async () =>
      ensure(
        findByModule({ file, options, lines }).some((found) => found !== null),
        `it finds no address in any of ${lines.length} lines`,
      ),
  }
}

/** Lines of a file, for `lines`. */
export function linesOf(file: string, most = 1000): string[] {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(0, most)
}

/** Nothing, a carriage return, zeros, the longest line there is, and each of the given ones with such things around it. */
function edges(given: readonly Buffer[]): Buffer[] {
  const longest = Buffer.alloc(65_536, 'x')
  const zero = Buffer.of(0)
  return [
    Buffer.alloc(0),
    Buffer.from('\r'),
    zero,
    longest,
    ...given
      .slice(0, 20)
      .flatMap((line) => [
        Buffer.concat([line, Buffer.from('\r')]),
        Buffer.concat([zero, line]),
        Buffer.concat([line, zero]),
        Buffer.concat([line, longest]).subarray(0, 65_536),
        Buffer.concat([longest.subarray(line.length), line]).subarray(0, 65_536),
        Buffer.concat([Buffer.of(0xff, 0xc0), line]),
      ]),
  ]
}

function holdsAlone(module: RunningModule, line: Uint8Array): string {
  try {
    return foundIn(module, together([line]))[0] ?? ''
  } catch (error) {
    const shown = printable(Buffer.from(line).toString('latin1').slice(0, 120))
    throw new Error(`${(error as Error).message}, given ${line.length} bytes: ${shown}`, { cause: error })
  }
}

/** What it finds in all of them together is what it finds in each alone. */
function sameTogether(module: RunningModule, lines: readonly Uint8Array[]): void {
  const alone = lines.map((line) => holdsAlone(module, line))
  const block = together(lines)
  const found = foundIn(module, block)
  const expected = alone.filter(Boolean)
  if (found.join('\n') === expected.join('\n')) return
  const at = found.findIndex((one, index) => one !== expected[index])
  throw new Error(
    `in ${lines.length} lines together it finds ${found.length}, in each alone ${expected.length}; ` +
      `first other than alone: ${printable(found[at] ?? expected[found.length] ?? '')}`,
  )
}

/** What it finds, each line in words that do not say where the line stands. */
function foundIn(module: RunningModule, bytes: Uint8Array): string[] {
  const { count, words, times } = module.scan(bytes)
  return Array.from({ length: count }, (_, index) => {
    const at = index * 16
    const start = words[at + field.lineStart] ?? 0
    const part = (first: number) => {
      const [from = 0, to = 0] = [words[at + first], words[at + first + 1]]
      return from === to ? null : [from - start, to - start]
    }
    const parts = [field.lineStart, field.addressStart, field.dateStart, field.userStart, field.sessionStart].map(part)
    const line = Buffer.from(bytes.subarray(start, words[at + field.lineEnd])).toString('latin1')
    return JSON.stringify([line.slice(0, 200), line.length, words[at + field.rule], times[index * 8], parts])
  })
}

/** The scanner of the agent, given the log in two pieces: all that it finds is what it finds in the log in one. */
function cutEverywhere(filter: CompiledFilter, given: readonly Buffer[]): void {
  const log = together([
    ...given.slice(0, 20),
    Buffer.from('x'),
    ...hostileLines.slice(0, 30).filter((line) => line.length < 100),
  ])
  const bytes = log.subarray(0, 2000)
  const scanner = createLogScanner({ jails: [{ jail: 'tried', filter }], engines: [engine] })
  const found = (piece: Buffer) => {
    const { matches, consumed } = scanner.scan(chunkOf(piece))
    return {
      texts: matches.map(({ line, address, rule, time }) => JSON.stringify([line, address, rule, time])),
      consumed,
    }
  }
  const whole = found(bytes).texts
  for (let cut = 0; cut <= bytes.length; cut++) {
    const first = found(bytes.subarray(0, cut))
    const texts = [...first.texts, ...found(bytes.subarray(first.consumed)).texts]
    ensureSame(texts, whole, `what is found when the log is cut at byte ${cut}`)
  }
}

function together(lines: readonly Uint8Array[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [line, newline]))
}

const newline = Buffer.from('\n')

function chunkOf(data: Buffer) {
  return { log: 'tried', jails: ['tried'], data, arrivedAt: 0, live: false, undatedAt: null, insideLine: false }
}

function filterOf(file: string, options: ModuleUse['options']): CompiledFilter {
  const without = { programs: null, prefregex: null, failregex: [], ignoreregex: [], structure: null }
  return { name: 'tried', ...without, module: loadModule(useOf(file, options)) }
}

function useOf(file: string, options: ModuleUse['options']): ModuleUse {
  return { name: basename(file), file: resolve(file), options }
}
