/** Compiles a matcher in AssemblyScript, with the compiler that its author has installed. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { BailiffError } from '../errors.ts'
import { maxMemoryBytes, pageBytes, sectionName } from './abi.ts'

/** The part of the compiler's interface that is used here. */
interface Compiler {
  readonly default: {
    main(
      words: readonly string[],
      hooks: {
        readonly stdout: { write(text: string): void }
        readonly stderr: { write(text: string): void }
        readonly readFile: (name: string, folder: string) => string | null
        readonly writeFile: (name: string, content: Uint8Array | string) => void
        readonly listFiles: (folder: string, base: string) => string[] | null
      },
    ): Promise<{ readonly error: Error | null }>
  }
}

/**
 * The module of a matcher; `say` hears what the compiler says. Throws a BailiffError where it has no `match`, where the
 * compiler is missing, and where it refuses the matcher.
 */
export async function compileMatcher(file: string, say: (text: string) => void): Promise<Uint8Array> {
  const exported = exportsOf(readFileSync(file, 'utf8'))
  if (!exported.has('match'))
    throw new BailiffError('data', 'a matcher exports a function match', {
      where: { file },
      hint: 'export function match(line: Text, found: Found): bool { … }',
    })
  const compiler = await compilerFor(file)
  const folder = dirname(file)
  const entry = `${basename(file, '.ts')}.entry-of-bailiff.ts`
  const texts = new Map([[join(folder, entry), entryText(`./${basename(file, '.ts')}`, exported)]])
  let module: Uint8Array | null = null
  const { error } = await compiler.default.main([entry, '--outFile', 'matcher.wasm', '--baseDir', folder, ...options], {
    stdout: { write: () => {} },
    stderr: { write: say },
    readFile: (name, base) => texts.get(resolve(base, name)) ?? readSource(resolve(base, name)),
    writeFile: (_, content) => {
      if (typeof content !== 'string') module = content
    },
    listFiles: () => null,
  })
  if (error !== null || module === null)
    throw new BailiffError('data', 'the compiler of AssemblyScript refuses the matcher', {
      where: { file },
      hint: 'the first of its errors is the one to look at; https://www.assemblyscript.org has the language',
    })
  return exported.has('rules') ? withRules(module) : module
}

const options = (
  `--runtime minimal --importMemory --maximumMemory ${maxMemoryBytes / pageBytes} ` +
  '--enable simd --use abort= -O3 --converge --noAssert'
).split(' ')

/** What of `bailiff/assembly` a matcher may import lies here, whichever folder the matcher is in. */
const library = fileURLToPath(new URL('../../../core/wasm-matcher/assembly/', import.meta.url))

/** What the compiler looks for below `node_modules/bailiff/assembly` is the library of this Bailiff. */
function readSource(file: string): string | null {
  const [, name] = /\/node_modules\/bailiff\/assembly\/([\w-]+)\.ts$/.exec(file) ?? []
  const path = name === undefined ? file : join(library, `${name}.ts`)
  return existsSync(path) ? readFileSync(path, 'utf8') : null
}

const optional = ['literals', 'rules', 'configure'] as const

function exportsOf(text: string): Set<string> {
  const names = text.matchAll(/^export\s+(?:function|const|let)\s+(match|literals|rules|configure)\b/gm)
  return new Set(Array.from(names, ([, name = '']) => name))
}

/** The exports of the interface around those of a matcher. */
function entryText(matcher: string, exported: ReadonlySet<string>): string {
  const has = optional.filter((name) => exported.has(name))
  return [
    `import { begin, buffer, complain, end, found, keep, line, listed, optionsGiven, useLiterals } from 'bailiff/assembly/abi'`,
    `import { ${['match', ...has].join(', ')} } from '${matcher}'`,
    `export const bailiff_abi: i32 = 1`,
    exported.has('literals') ? 'useLiterals(literals)' : '',
    `export function bailiff_buffer(bytes: i32): usize { return buffer(bytes) }`,
    `export function bailiff_scan(from: i32, bytes: i32): usize {`,
    `  begin(from, bytes)`,
    `  for (let text = line(); text != null; text = line()) if (match(text, found)) keep()`,
    `  return end(bytes)`,
    `}`,
    exported.has('rules') ? 'export function bailiff_rules(): usize { return listed(rules) }' : '',
    ...(exported.has('configure')
      ? [
          `export function bailiff_options(bytes: i32): usize {`,
          `  const given = optionsGiven(bytes)`,
          `  const about = configure(given)`,
          `  if (about != '') return complain(about)`,
          `  const unknown = given.unknown()`,
          `  return complain(unknown == '' ? '' : 'there is no option ' + unknown)`,
          `}`,
        ]
      : []),
  ].join('\n')
}

async function compilerFor(file: string): Promise<Compiler> {
  for (const from of [file, import.meta.url]) {
    let path: string
    try {
      path = createRequire(from).resolve('assemblyscript/dist/asc.js')
    } catch {
      continue
    }
    return (await import(pathToFileURL(path).href)) as Compiler
  }
  throw new BailiffError('unavailable', 'the compiler of AssemblyScript is not installed', {
    hint: `npm install -D assemblyscript  in ${dirname(file)}`,
  })
}

/** Puts the names of the rules, which the module itself tells, where they are read without running it. */
function withRules(module: Uint8Array): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maxMemoryBytes / pageBytes })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory } })
  const at = (exports as { bailiff_rules(): number }).bailiff_rules() >>> 0
  const bytes = new Uint8Array(memory.buffer)
  const rules = Buffer.from(bytes.subarray(at, bytes.indexOf(0, at)))
    .toString('utf8')
    .split('\n')
  const name = Buffer.from(sectionName)
  const content = Buffer.concat([Buffer.of(name.length), name, Buffer.from(JSON.stringify({ rules }))])
  return Buffer.concat([module, Buffer.of(0), unsigned(content.length), content])
}

/** As an unsigned LEB128 number. */
function unsigned(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 0x80)
  }
}
