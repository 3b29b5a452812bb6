/** The files of named lists: one a list in the folder `lists` of the state, a header and one prefix a line. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePrefix, type Prefix } from './address.ts'
import { BailiffError, quote } from './errors.ts'
import { openStateFile, replaceStateFile } from './state-file.ts'

/** Entries of all lists together: they are in memory (75 B each) and in one firewall set. */
export const maxListEntries = 1_000_000
/** Entries handed over at once. */
const entriesAtOnce = 2000
/** A prefix takes at most 43 characters. */
const longestLine = 200
const fileEnd = '.list'

/** A named list as it was loaded. */
export interface NamedList {
  readonly name: string
  /** When it was loaded, unix milliseconds; each loading has its own. */
  readonly since: number
  /** When all of it ends; null: never. */
  readonly until: number | null
}

/** What can be the name of a list, for it stands in commands, in metrics and in the status. */
export function isListName(name: string): boolean {
  return /^[A-Za-z0-9][\w.-]{0,63}$/.test(name)
}

/** Files of named lists in one folder. */
export class ListFiles {
  readonly #folder: string

  /** `state`: the folder of the state, which has to be there. */
  constructor(state: string) {
    this.#folder = join(state, 'lists')
  }

  /** The lists that are there. What is left of one that was being written is removed. */
  async all(): Promise<readonly NamedList[]> {
    const files = await readdir(this.#folder).catch(() => [])
    const lists: NamedList[] = []
    for (const file of files) {
      if (file.endsWith('.new')) await rm(join(this.#folder, file), { force: true })
      if (!file.endsWith(fileEnd)) continue
      const list = await this.#header(join(this.#folder, file))
      if (list !== null) lists.push(list)
    }
    return lists.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Puts a list in the place of the one of the same name, when all of the text is there: a prefix a line.
   * Answers how many lines there were. Rejects, and the old one stays, where a line is none, where there
   * are more than `most`, and where there is none at all.
   */
  async write(list: NamedList, text: AsyncIterable<Buffer>, most: number): Promise<number> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    let count = 0
    async function* parts(): AsyncGenerator<string> {
      yield `# ${JSON.stringify(list)}\n`
      for await (const prefixes of prefixesOf(text, refuseLine)) {
        count += prefixes.length
        if (count > most) throw tooMany(most)
        yield `${prefixes.join('\n')}\n`
      }
      if (count === 0) throw emptyList(list.name)
    }
    await replaceStateFile(this.#path(list.name), parts())
    return count
  }

  /** The entries of a list, some at a time. Lines that are damaged are passed over. */
  async *entries({ name }: Pick<NamedList, 'name'>): AsyncGenerator<readonly Prefix[]> {
    const file = await openStateFile(this.#path(name))
    if (file !== null) yield* prefixesOf(file.createReadStream({ highWaterMark: 64 * 1024 }), () => {})
  }

  async remove({ name }: Pick<NamedList, 'name'>): Promise<void> {
    await rm(this.#path(name), { force: true })
  }

  /** File systems differ in what they take for the same name, so it is not in the path as it stands. */
  #path(name: string): string {
    return join(this.#folder, createHash('sha256').update(name).digest('hex').slice(0, 32) + fileEnd)
  }

  async #header(path: string): Promise<NamedList | null> {
    const file = await openStateFile(path)
    if (file === null) return null
    try {
      const head = Buffer.alloc(512)
      const { bytesRead } = await file.read(head, 0, head.length, 0)
      const { name, since, until } = JSON.parse(head.toString('utf8', 2, bytesRead).split('\n')[0] ?? '')
      if (!isListName(String(name)) || typeof since !== 'number') return null
      return until === null || typeof until === 'number' ? { name, since, until } : null
    } catch {
      return null
    } finally {
      await file.close()
    }
  }
}

/** The prefixes of a text with one a line, some at a time; comments and blank lines are passed over. */
async function* prefixesOf(
  text: AsyncIterable<Buffer | string>,
  bad: (line: string) => void,
): AsyncGenerator<readonly Prefix[]> {
  let rest = ''
  let some: Prefix[] = []
  for await (const piece of text) {
    const lines = (rest + piece.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) bad(rest)
    for (const line of lines) {
      if (line === '' || line.startsWith('#')) continue
      const prefix = parsePrefix(line)
      if (prefix === null) bad(line)
      else some.push(prefix)
      if (some.length < entriesAtOnce) continue
      yield some
      some = []
    }
  }
  const last = rest === '' ? null : parsePrefix(rest)
  if (last !== null) some.push(last)
  else if (rest !== '') bad(rest)
  if (some.length > 0) yield some
}

function refuseLine(line: string): never {
  throw new BailiffError('data', `${quote(line)} is no IP address or prefix`)
}

function tooMany(most: number): BailiffError {
  const others = most < maxListEntries ? `, of which other lists have ${maxListEntries - most}` : ''
  return new BailiffError('data', `all lists together have at most ${maxListEntries} entries${others}`, {
    hint: 'networks instead of single addresses make a list shorter; "bailiff unban --name LIST" ends a list',
  })
}

function emptyList(name: string): BailiffError {
  return new BailiffError('data', `the list ${quote(name)} would be empty: nothing was changed`, {
    hint: `where that is meant: bailiff unban --name ${name}`,
  })
}
