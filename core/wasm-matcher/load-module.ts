/** Makes a matcher in WebAssembly ready to run, or says why it cannot be one. Nothing of it runs here. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BailiffError, printable, quote, whyUnreadable, type Where } from '../errors.ts'
import type { MatcherModule } from '../plugin.ts'
import { matcherAbi, maxMemoryBytes, maxModuleBytes, maxRules, maxSectionBytes, pageBytes, sectionName } from './abi.ts'
import { boundedModule } from './module-bounds.ts'
import { checkVersion, ModuleFault } from './module-fault.ts'
import { readShape, type Limits, type ModuleShape } from './module-shape.ts'

/** Which module is meant, and what it is given. */
export interface ModuleUse {
  /** For people: the name of its package, or its file without the folder. */
  readonly name: string
  /** Absolute. */
  readonly file: string
  readonly options: Readonly<Record<string, string | number | boolean>>
  readonly where?: Where
}

/** Throws a BailiffError at the place of the use where the file cannot be read, or is no matcher of this version. */
export function loadModule({ name, file, options, where }: ModuleUse): MatcherModule {
  const at = where === undefined ? {} : { where }
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new BailiffError('config', `the matcher ${quote(file)} cannot be read: ${whyUnreadable(cause)}`, {
      ...at,
      cause,
    })
  }
  try {
    const shape = compiledShape(bytes)
    checkShape(shape)
    const { rules } = aboutOf(shape)
    const given = optionLines(options)
    if (given !== '' && !shape.exports.has('bailiff_options')) throw new ModuleFault('it has no options')
    return {
      name,
      file,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      options: given,
      rules,
      memory: memoryOf(shape),
      code: shape.code,
    }
  } catch (cause) {
    if (!(cause instanceof ModuleFault)) throw cause
    throw new BailiffError('config', `${quote(file)} cannot be used as a matcher: ${cause.message}`, {
      ...at,
      hint: 'docs/writing-plugins.md says how a matcher in WebAssembly is made; "bailiff plugin test" looks at one',
      cause,
    })
  }
}

/** Whether it can be given options. */
export function takesOptions({ code }: MatcherModule): boolean {
  return WebAssembly.Module.exports(code as WebAssembly.Module).some(({ name }) => name === 'bailiff_options')
}

interface CompiledShape extends ModuleShape {
  readonly code: WebAssembly.Module
}

function compiledShape(bytes: Uint8Array): CompiledShape {
  if (bytes.length > maxModuleBytes)
    throw new ModuleFault(`it has ${bytes.length} bytes, and a matcher at most ${maxModuleBytes}`)
  const code = compiled(bytes)
  const shape = readShape(bytes)
  const bounded = boundedModule(bytes)
  return { ...shape, code: bounded === bytes ? code : compiled(bounded) }
}

function compiled(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^WebAssembly\.Module\(\): /, '') : String(cause)
    throw new ModuleFault(`it is no module of WebAssembly (${printable(why)})`, cause)
  }
}

function checkShape({ imports, exports, constants, ownMemory }: ModuleShape): void {
  const foreign = imports.filter(({ name, kind }) => name !== 'env.memory' || kind !== 'memory')
  if (foreign.length > 0)
    throw new ModuleFault(
      `it imports ${listed(foreign.map(({ name }) => name))}, and a matcher may import env.memory only`,
    )
  if (ownMemory) throw new ModuleFault('it has a memory of its own, and must import env.memory (asc --importMemory)')
  if (imports.length !== 1) throw new ModuleFault('it does not import env.memory (asc --importMemory)')
  const abi = exports.get('bailiff_abi')
  if (abi === undefined)
    throw new ModuleFault(`it does not export bailiff_abi, the version of the interface that it was made for`)
  // What a function answers is looked at when it is started.
  const version = abi.kind === 'function' ? matcherAbi : abi.kind === 'global' ? (constants[abi.index] ?? null) : null
  if (version === null) throw new ModuleFault('its bailiff_abi is neither a function nor a constant of type i32')
  checkVersion(version)
  for (const name of ['bailiff_buffer', 'bailiff_scan'])
    if (exports.get(name)?.kind !== 'function') throw new ModuleFault(`it does not export the function ${name}`)
  const options = exports.get('bailiff_options')
  if (options !== undefined && options.kind !== 'function') throw new ModuleFault('its bailiff_options is no function')
}

/** The pages of the memory that is made for it. */
function memoryOf({ imports }: ModuleShape): MatcherModule['memory'] {
  const { least, most, shared, wide } = imports[0]?.limits ?? noLimits
  if (shared || wide) throw new ModuleFault('it wants a memory that is shared or of 64 bits')
  const allowed = maxMemoryBytes / pageBytes
  if (least > allowed)
    throw new ModuleFault(
      `it wants ${(least * pageBytes) / 1024 / 1024} MiB of memory, and a matcher gets at most ${maxMemoryBytes / 1024 / 1024}`,
    )
  return { initial: least, maximum: Math.min(allowed, most ?? allowed) }
}

const noLimits: Limits = { least: 0, most: null, shared: false, wide: false }

function aboutOf({ custom }: ModuleShape): { readonly rules: readonly string[] } {
  const section = custom.get(sectionName)
  if (section === undefined) return { rules: [] }
  if (section.length > maxSectionBytes) throw new ModuleFault(`its section ${sectionName} is too long`)
  const about = parsed(Buffer.from(section).toString('utf8'))
  const { rules = [] } = typeof about === 'object' && about !== null ? (about as { rules?: unknown }) : {}
  if (!Array.isArray(rules) || rules.length > maxRules || rules.some((one) => typeof one !== 'string'))
    throw new ModuleFault(`in its section ${sectionName}, rules must be a list of up to ${maxRules} names`)
  return { rules: rules.map((one: string) => printable(one).slice(0, 200)) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ModuleFault(`its section ${sectionName} is no JSON`, cause)
  }
}

/** One `name=value` a line. */
function optionLines(options: ModuleUse['options']): string {
  return Object.entries(options)
    .map(([name, value]) => {
      if (/[\n\r\0=]/.test(name) || /[\n\r\0]/.test(String(value)))
        throw new ModuleFault(`its option ${quote(name)} has a line break, or a name with "="`)
      return `${name}=${value}\n`
    })
    .join('')
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => printable(name).slice(0, 60))
  return `${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}`
}
