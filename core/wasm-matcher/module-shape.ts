/**
 * What a module of WebAssembly asks for and offers, read from its sections without running anything of it.
 * The format is that of the WebAssembly core specification 2.0, chapter 5 (binary format).
 */
import { ModuleFault } from './module-fault.ts'
import { ModuleReader } from './module-reader.ts'

export interface ModuleShape {
  /** What it imports: `env.memory`. */
  readonly imports: readonly { readonly name: string; readonly kind: ItemKind; readonly limits: Limits | null }[]
  readonly exports: ReadonlyMap<string, { readonly kind: ItemKind; readonly index: number }>
  /** The values of its own globals that are constants of 32 bits; null: others. */
  readonly constants: readonly (number | null)[]
  /** Whether it has a memory of its own. */
  readonly ownMemory: boolean
  /** The bytes of its custom sections, by their name. */
  readonly custom: ReadonlyMap<string, Uint8Array>
}

/** Sizes of a memory, in pages. */
export interface Limits {
  readonly least: number
  readonly most: number | null
  readonly shared: boolean
  readonly wide: boolean
}

export type ItemKind = 'function' | 'table' | 'memory' | 'global' | 'tag'

/** Reads the sections of a module that V8 has compiled, so that its form is known to be right. Throws a ModuleFault. */
export function readShape(bytes: Uint8Array): ModuleShape {
  const shape = {
    imports: [] as { name: string; kind: ItemKind; limits: Limits | null }[],
    exports: new Map<string, { kind: ItemKind; index: number }>(),
    constants: [] as (number | null)[],
    ownMemory: false,
    custom: new Map<string, Uint8Array>(),
  }
  const reader = new ModuleReader(bytes, 8)
  while (!reader.done) {
    const id = reader.byte()
    const section = reader.part(reader.number())
    if (id === sections.custom) {
      const name = section.name()
      shape.custom.set(name, section.rest())
    }
    if (id === sections.import) each(section, () => shape.imports.push(readImport(section)))
    if (id === sections.memory) shape.ownMemory = section.number() > 0
    if (id === sections.global) each(section, () => shape.constants.push(readGlobal(section)))
    if (id === sections.export)
      each(section, () => {
        const name = section.name()
        shape.exports.set(name, { kind: kindOf(section.byte()), index: section.number() })
      })
  }
  return shape
}

const sections = { custom: 0, import: 2, memory: 5, global: 6, export: 7 } as const
const kinds: readonly ItemKind[] = ['function', 'table', 'memory', 'global', 'tag']

function each(section: ModuleReader, read: () => void): void {
  const count = section.number()
  for (let index = 0; index < count; index++) read()
}

function readImport(section: ModuleReader): ModuleShape['imports'][number] {
  const name = `${section.name()}.${section.name()}`
  const kind = kindOf(section.byte())
  if (kind === 'memory') return { name, kind, limits: readLimits(section) }
  if (kind === 'function') section.number()
  else if (kind === 'tag') section.skip(1).number()
  else if (kind === 'global') section.skip(2)
  else {
    section.skip(1)
    readLimits(section)
  }
  return { name, kind, limits: null }
}

function readLimits(section: ModuleReader): Limits {
  const flags = section.byte()
  const least = section.number()
  return {
    least,
    most: (flags & 1) === 0 ? null : section.number(),
    shared: (flags & 2) !== 0,
    wide: (flags & 4) !== 0,
  }
}

/** Its value where it is an `i32.const` that never changes. */
function readGlobal(section: ModuleReader): number | null {
  const [type, mutable] = [section.byte(), section.byte()]
  const first = section.byte()
  if (type === types.i32 && mutable === 0 && first === codes.i32Const) {
    const value = section.signed()
    if (section.byte() === codes.end) return value
  } else if (first === codes.i32Const || first === codes.i64Const) section.signed()
  else if (first === codes.f32Const) section.skip(4)
  else if (first === codes.f64Const) section.skip(8)
  else if (first === codes.prefixV128) section.skip(17)
  else if (first === codes.refNull) section.skip(1)
  else section.number()
  // An expression of several parts is none that a compiler writes here, and what stands behind it cannot be told.
  if (section.byte() !== codes.end) throw new ModuleFault('a global of it begins with something else than a constant')
  return null
}

const types = { i32: 0x7f } as const
const codes = {
  end: 0x0b,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  refNull: 0xd0,
  prefixV128: 0xfd,
} as const

function kindOf(byte: number): ItemKind {
  const kind = kinds[byte]
  if (kind === undefined) throw new ModuleFault(`it has an item of an unknown kind, ${byte}`)
  return kind
}
