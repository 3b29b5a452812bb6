/** Reads YAML into plain values, and remembers the line of each, so that every complaint can name its place. */
import { readFile, stat } from 'node:fs/promises'
import { Composer, isAlias, isMap, isScalar, isSeq, LineCounter, Parser, type CST, type Node, type Pair } from 'yaml'
import { BailiffError, quote, whyUnreadable, type Where } from '../errors.ts'
import { Sourced, type Path, type Place } from './sourced.ts'

const maxBytes = 1 << 20
const maxDepth = 32

/** Reads a YAML file. Throws a BailiffError where it is no regular file, too large or not to be read, or as `parseYaml`. */
export async function readYaml(file: string): Promise<Sourced> {
  return parseYaml(await readText(file), file)
}

/**
 * Reads the text of a YAML 1.2 file. An empty file is an empty map. Refused, with the place: syntax
 * errors, keys that stand twice, aliases (they multiply), unknown tags, several documents, keys that
 * are not plain text, and what is deeper than 32 levels or larger than 1 MiB.
 */
export function parseYaml(text: string, file: string): Sourced {
  if (text.length > maxBytes) throw new BailiffError('config', 'larger than 1 MiB', { where: { file } })
  const lines = new LineCounter()
  const whereAt = (offset: number): Where => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col }
  }
  const tokens = [...new Parser(lines.addNewLine).parse(text)]
  const deep = tooDeep(tokens)
  if (deep !== undefined)
    throw new BailiffError('config', `nested deeper than ${maxDepth} levels`, { where: whereAt(deep) })
  const options = { version: '1.2', prettyErrors: false, logLevel: 'error' } as const
  const [document, another] = new Composer(options).compose(tokens, true, text.length)
  const flaw = document?.errors[0] ?? document?.warnings[0]
  if (flaw !== undefined) throw new BailiffError('config', reword(flaw), { where: whereAt(flaw.pos[0]) })
  if (another) {
    const message = 'one document a file: leave out what follows "---"'
    throw new BailiffError('config', message, { where: whereAt(another.range[0]) })
  }
  const reader = new Reader(text, whereAt)
  const value = reader.read(document?.contents ?? null, [])
  return new Sourced(value ?? {}, reader.places, [], { file })
}

/**
 * Where something is nested too deeply, if it is. Looked for before nodes are composed: that calls
 * itself for each level, and V8 ends the process when a regular expression is first used with the
 * stack used up.
 */
function tooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open: { token: CST.Token | null | undefined; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }))
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next
    if (!token) continue
    if (depth > maxDepth) return token.offset
    if ('items' in token)
      for (const item of token.items) {
        if ('key' in item) open.push({ token: item.key, depth: depth + 1 })
        if ('value' in item) open.push({ token: item.value, depth: depth + 1 })
      }
    else if (token.type === 'document') open.push({ token: token.value, depth })
  }
  return undefined
}

/** The library's sentence, without what is meant for programmers. */
function reword(flaw: { readonly code: string; readonly message: string }): string {
  if (flaw.code === 'TAB_AS_INDENT') return 'a tab cannot indent YAML: use blanks'
  return `not valid YAML: ${flaw.message.charAt(0).toLowerCase()}${flaw.message.slice(1)}`
}

class Reader {
  readonly places: Place[] = []
  readonly #text: string
  readonly #whereAt: (offset: number) => Where

  constructor(text: string, whereAt: (offset: number) => Where) {
    this.#text = text
    this.#whereAt = whereAt
  }

  read(node: Node | null, path: Path): unknown {
    if (node === null) return null
    if (isAlias(node)) throw this.#refuse(node, `aliases are not read: write the value out instead of *${node.source}`)
    if (isMap(node)) return Object.fromEntries(node.items.map((pair) => this.#entry(pair as Pair<Node, Node>, path)))
    if (isSeq(node)) return node.items.map((item, index) => this.#item(item as Node, [...path, index]))
    if (isScalar(node)) return node.value
    throw this.#refuse(node, 'this is neither a map, a list nor a value')
  }

  #entry({ key, value }: Pair<Node, Node>, path: Path): [string, unknown] {
    if (!isScalar(key)) throw this.#refuse(key, 'a key must be plain text')
    const name = this.#keyText(key)
    if (name === '__proto__') throw this.#refuse(key, 'a key cannot be called __proto__')
    const here = [...path, name]
    const keyAt = this.#where(key)
    this.places.push({ path: here, at: isScalar(value) && value.range ? this.#where(value) : keyAt, keyAt })
    return [name, this.read(value, here)]
  }

  /** As it was written: `08` is a fine name for a jail and no number. */
  #keyText(key: Node): string {
    const value = isScalar(key) ? key.value : null
    if (typeof value === 'string') return value
    return key.range ? this.#text.slice(key.range[0], key.range[1]) : String(value)
  }

  #item(item: Node, path: Path): unknown {
    const at = this.#where(item)
    this.places.push({ path, at, keyAt: at })
    return this.read(item, path)
  }

  #where(node: Node): Where {
    return this.#whereAt(node.range?.[0] ?? 0)
  }

  #refuse(node: Node | null, message: string): BailiffError {
    const text = node?.range ? this.#text.slice(node.range[0], node.range[1]).trim() : ''
    return new BailiffError('config', text === '' ? message : `${message} (found ${quote(text)})`, {
      where: this.#whereAt(node?.range?.[0] ?? 0),
    })
  }
}

/** The text of a regular file of at most 1 MiB. Throws a BailiffError. */
export async function readText(file: string): Promise<string> {
  try {
    const found = await stat(file)
    // A pipe would never end, and a device neither.
    if (!found.isFile()) throw new Error('it is no regular file')
    if (found.size > maxBytes) throw new Error('it is larger than 1 MiB')
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new BailiffError('config', `cannot be read: ${whyUnreadable(error)}`, { where: { file }, cause: error })
  }
}
