/** Writes modules of WebAssembly byte by byte, so that they can be as wrong as anybody could make them. */

/** What a module is made of; unless said, it is one that keeps the interface and finds nothing. */
export interface MadeModule {
  readonly imports?: readonly Import[]
  readonly abi?: number | null
  /** Code of a function `bailiff_abi()`, in the place of the constant. */
  readonly abiFunction?: readonly number[]
  /** Code, without the end: `bailiff_buffer(bytes)`, `bailiff_scan(from, bytes)`, what runs at the start. */
  readonly buffer?: readonly number[]
  readonly scan?: readonly number[]
  readonly start?: readonly number[]
  readonly options?: readonly number[]
  /** Put at these addresses at the start. */
  readonly data?: readonly { readonly at: number; readonly bytes: Uint8Array }[]
  /** Export names in the place of the usual ones. */
  readonly renamed?: Readonly<Record<string, string>>
  readonly ownMemory?: boolean
  /** The kind of element, and limits: `[0x70, 0, least]`. */
  readonly tables?: readonly (readonly number[])[]
  /** Beside those of its functions. */
  readonly types?: readonly (readonly number[])[]
  readonly about?: string
}

type Import =
  | { readonly kind: 'memory'; readonly least: number; readonly most?: number; readonly flags?: number }
  | { readonly kind: 'function'; readonly module: string; readonly name: string }

/** Where the lines are written, and where the answer lies, unless a module says otherwise. */
export const bufferAt = 4096
export const answerAt = 1024

/** Instructions. */
export const code = {
  number: (value: number) => [0x41, ...signed(value)],
  parameter: (index: number) => [0x20, index],
  /** Stores what is above in the stack at the address below it. */
  store: (offset: number) => [0x36, 2, ...unsigned(offset)],
  load: (offset: number) => [0x28, 2, ...unsigned(offset)],
  add: [0x6a],
  grow: [0x40, 0],
  drop: [0x1a],
  /** Of table 0, by so many elements that are nothing: answers how many there were, or -1. */
  growTable: (by: number) => [0xd0, 0x70, ...code.number(by), 0xfc, 15, 0],
  trap: [0x00],
  forever: [0x03, 0x40, 0x0c, 0, 0x0b],
  /** Of `call` the functions are numbered from 0: those that are imported first. */
  call: (index: number) => [0x10, ...unsigned(index)],
  when: (body: readonly number[]) => [0x04, 0x40, ...body, 0x0b],
} as const

/** Says that all was looked at: the second word of the answer is how many bytes there are. */
export const isDone = [...code.number(answerAt), ...code.parameter(1), ...code.store(4)]
export const answers = code.number(answerAt)

/** A record; `words`: fields of `core/wasm-matcher/abi.ts` by their place. */
export function record(words: Readonly<Record<number, number>>, time = Number.NaN): Uint8Array {
  const bytes = Buffer.alloc(64)
  bytes.writeDoubleLE(time, 0)
  for (const [place, value] of Object.entries(words)) bytes.writeUInt32LE(value, Number(place) * 4)
  return bytes
}

/** An answer with these records, of which the module says the rest. */
export function answerOf(records: readonly Uint8Array[], count = records.length): { at: number; bytes: Uint8Array } {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(count >>> 0, 0)
  return { at: answerAt, bytes: Buffer.concat([head, ...records]) }
}

/** The bytes of a module. */
export function madeModule(made: MadeModule = {}): Buffer {
  const { abiFunction, imports = [{ kind: 'memory', least: 40 }], data = [], start, options, renamed = {} } = made
  const { abi = abiFunction === undefined ? 1 : null } = made
  const before = imports.filter(({ kind }) => kind === 'function').length
  const functions = [
    { name: 'bailiff_buffer', type: 0, body: made.buffer ?? code.number(bufferAt) },
    { name: 'bailiff_scan', type: 1, body: made.scan ?? [...isDone, ...answers] },
    ...(start === undefined ? [] : [{ name: null, type: 2, body: start }]),
    ...(options === undefined ? [] : [{ name: 'bailiff_options', type: 0, body: options }]),
    ...(abiFunction === undefined ? [] : [{ name: 'bailiff_abi', type: 3, body: abiFunction }]),
  ]
  const exported = functions.flatMap(({ name }, index) => {
    const given = name === null ? '' : (renamed[name] ?? name)
    return given === '' ? [] : [[...text(given), 0, before + index]]
  })
  const startIndex = functions.findIndex(({ name }) => name === null)
  return Buffer.from([
    ...header,
    ...section(1, [
      [0x60, 1, 0x7f, 1, 0x7f],
      [0x60, 2, 0x7f, 0x7f, 1, 0x7f],
      [0x60, 0, 0],
      [0x60, 0, 1, 0x7f],
      ...(made.types ?? []),
    ]),
    ...section(2, imports.map(importOf)),
    ...section(
      3,
      functions.map(({ type }) => [type]),
    ),
    ...section(4, made.tables ?? []),
    ...(made.ownMemory ? section(5, [[0, 1]]) : []),
    ...(abi === null ? [] : section(6, [[0x7f, 0, 0x41, ...signed(abi), 0x0b]])),
    ...section(7, [...exported, ...(abi === null ? [] : [[...text('bailiff_abi'), 3, 0]])]),
    ...(start === undefined ? [] : [8, 1, before + startIndex]),
    ...section(
      10,
      functions.map(({ body }) => sized([0, ...body, 0x0b])),
    ),
    ...section(
      11,
      data.map(({ at, bytes }) => [0, 0x41, ...signed(at), 0x0b, ...unsigned(bytes.length), ...bytes]),
    ),
    ...(made.about === undefined ? [] : [0, ...sized([...text('bailiff'), ...Buffer.from(made.about)])]),
  ])
}

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

function importOf(one: Import): number[] {
  if (one.kind === 'function') return [...text(one.module), ...text(one.name), 0, 2]
  const { least, most, flags = most === undefined ? 0 : 1 } = one
  return [
    ...text('env'),
    ...text('memory'),
    2,
    flags,
    ...unsigned(least),
    ...(most === undefined ? [] : unsigned(most)),
  ]
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  return items.length === 0 ? [] : [id, ...sized([...unsigned(items.length), ...items.flat()])]
}

function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes]
}

function text(value: string): number[] {
  return sized([...Buffer.from(value)])
}

export function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...unsigned(Math.floor(value / 128))]
}

function signed(value: number): number[] {
  const rest = value >> 7
  const byte = value & 0x7f
  const isLast = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)
  return isLast ? [byte] : [byte | 0x80, ...signed(rest)]
}
