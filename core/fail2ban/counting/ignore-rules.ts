import { addressBytes, parseAddress, parsePrefix } from '../../address.ts'
import { BailiffError } from '../../errors.ts'
import type { HostNames } from './host-names.ts'
import { isInNetwork, parseIgnoreWord, type IgnoreWord } from './ignore-words.ts'
import { WordFile } from './word-file.ts'
import { coveredByName, WordSet, type ComparedId, type Covering } from './word-set.ts'

/** Whom `ignoreself` and `ignoreip` of one jail ignore. */
export class IgnoreRules {
  readonly #hosts: HostNames
  readonly #isOwn: (compared: ComparedId) => boolean | 'unknown'
  /** Single addresses of the configuration, which are asked before all others. */
  readonly #addresses = new Set<string>()
  /** All other words, in the order in which they stand. */
  readonly #list: (IgnoreWord | WordSet)[] = []
  readonly #files: WordFile[] = []
  /** What is wrong with some of the words, which are left out. */
  readonly problems: readonly BailiffError[]

  constructor(
    words: readonly string[],
    options: {
      readonly hosts: HostNames
      /** Whether the id is an address of this machine; always false where `ignoreself` is off. */
      readonly isOwn: (compared: ComparedId) => boolean | 'unknown'
      readonly warn: (message: string) => void
      /** Names of files may have become others. */
      readonly namesChanged: () => void
    },
  ) {
    this.#hosts = options.hosts
    this.#isOwn = options.isOwn
    const problems: BailiffError[] = []
    for (const word of words) {
      try {
        this.#add(parseIgnoreWord(word), options)
      } catch (error) {
        if (!(error instanceof BailiffError)) throw error
        problems.push(error)
      }
    }
    this.problems = problems
  }

  /** Reads the files. */
  async start(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.look()))
  }

  stop(): void {
    for (const file of this.#files) file.stop()
  }

  /** The host names among the words. */
  get names(): string[] {
    return this.#list.flatMap((word) => (word instanceof WordSet ? word.names : word.type === 'name' ? word.name : []))
  }

  /** By what the id is ignored, in Fail2ban's words; null: by nothing; `unknown`: names that may mean it are being looked up. */
  source(id: string): 'ignoreself rule' | Covering {
    const compared = comparedId(id)
    const isOwn = this.#isOwn(compared)
    if (isOwn === true) return 'ignoreself rule'
    if (isOwn === 'unknown') return 'unknown'
    if (compared.address !== null && !compared.isNetwork && this.#addresses.has(compared.address.text)) return 'ip'
    let unknown: Covering = null
    for (const word of this.#list) {
      const covering = this.#covering(word, compared)
      if (covering === 'ip' || covering === 'dns') return covering
      unknown ??= covering
    }
    return unknown
  }

  #covering(word: IgnoreWord | WordSet, compared: ComparedId): Covering {
    if (word instanceof WordSet) return word.covers(compared, this.#hosts)
    if (word.type === 'name') return coveredByName([word.name], compared, this.#hosts)
    if (word.type !== 'network' || compared.address === null) return null
    return isInNetwork(compared.address.bytes, word.network) ? 'ip' : null
  }

  #add(
    word: IgnoreWord,
    options: { readonly warn: (message: string) => void; readonly namesChanged: () => void },
  ): void {
    if (word.type === 'address') this.#addresses.add(word.address)
    else if (word.type !== 'file') this.#list.push(word)
    else {
      const place = this.#list.push(new WordSet([])) - 1
      const changed = (words: readonly IgnoreWord[]) => {
        this.#list[place] = new WordSet(words)
        options.namesChanged()
      }
      this.#files.push(new WordFile(word.path, changed, options.warn))
    }
  }
}

/** Reads an id. */
export function comparedId(id: string): ComparedId {
  const prefix = parsePrefix(id)
  if (prefix === null) return { id, address: null, isNetwork: false }
  const text = parseAddress(prefix.replace(/\/.*/, ''))
  if (text === null) return { id, address: null, isNetwork: false }
  return { id, address: { text, bytes: addressBytes(text) }, isNetwork: prefix.includes('/') }
}
