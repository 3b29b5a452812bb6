import { open, stat } from 'node:fs/promises'
import { describeError, whyUnreadable } from '../../errors.ts'
import { parseIgnoreWord, wordsOfFile, type IgnoreWord } from './ignore-words.ts'

/** Looked at so often, as Fail2ban does at most. */
const lookEveryMs = 1000
/** No more of a file is read. */
const maxBytes = 16 * 1024 * 1024

/** The words of a file that `ignoreip` names, read again when it changes. */
export class WordFile {
  readonly #path: string
  readonly #changed: (words: readonly IgnoreWord[]) => void
  readonly #warn: (message: string) => void
  readonly #timer: NodeJS.Timeout
  #seen = ''
  #looking: Promise<void> | null = null

  /** `changed` hears of all words whenever they may be others. What was read last holds while the file cannot be read. */
  constructor(path: string, changed: (words: readonly IgnoreWord[]) => void, warn: (message: string) => void) {
    this.#path = path
    this.#changed = changed
    this.#warn = warn
    this.#timer = setInterval(() => void this.look(), lookEveryMs).unref()
  }

  /** Reads the file if it is another than before: by time of change, inode and size. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null))
    return this.#looking
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    try {
      const { mtimeNs, ino, size } = await stat(this.#path, { bigint: true })
      const seen = `${mtimeNs} ${ino} ${size}`
      if (seen === this.#seen) return
      this.#changed(this.#parsed(await this.#read()))
      this.#seen = seen
    } catch (error) {
      const seen = `unreadable: ${whyUnreadable(error)}`
      if (seen !== this.#seen) this.#warn(`ignoreip: ${this.#path} cannot be read: ${whyUnreadable(error)}`)
      this.#seen = seen
    }
  }

  async #read(): Promise<string> {
    const file = await open(this.#path)
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(maxBytes, (await file.stat()).size)), 0)
      if (bytesRead === maxBytes) this.#warn(`ignoreip: of ${this.#path} only the first ${maxBytes >> 20} MiB are read`)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  }

  #parsed(text: string): IgnoreWord[] {
    return wordsOfFile(text).flatMap((word) => {
      try {
        const parsed = parseIgnoreWord(word)
        return parsed.type === 'file' ? [] : parsed
      } catch (error) {
        this.#warn(`${this.#path}: ${describeError(error)}`)
        return []
      }
    })
  }
}
