import { open, stat, type FileHandle } from 'node:fs/promises'

/** Text that waits to be written, at most; more is left out. */
const mostWaiting = 1024 * 1024
/** Who rotates a log away is noticed after so long, and a failure is told of again. */
const lookAgainMs = 1000
const tellAgainMs = 10 * 60_000

/**
 * A log that is appended to. It is opened anew when its path is another file or none any more, as after a
 * rotation; where that cannot be, lines go on to the file that is open. Nobody waits for it.
 */
export class LogFile {
  readonly path: string
  readonly #alarm: (message: string) => void
  readonly #now: () => number
  #waiting = ''
  #leftOut = 0
  #writing: Promise<void> | null = null
  #file: FileHandle | null = null
  #lookedAt = -Infinity
  #toldAt = -Infinity

  /** `alarm` is told what keeps lines from being written: at once, then every ten minutes. */
  constructor(path: string, alarm: (message: string) => void, now: () => number = Date.now) {
    this.path = path
    this.#alarm = alarm
    this.#now = now
  }

  /** Appends a line, which ends in its newline, as soon as those before it are written. */
  write(line: string): void {
    if (this.#waiting.length + line.length > mostWaiting) {
      this.#leftOut++
      return
    }
    this.#waiting += line
    this.#writing ??= this.#drain().finally(() => (this.#writing = null))
  }

  /** Looks at once whether the path is another file now. */
  reopen(): void {
    this.#lookedAt = -Infinity
  }

  /** Resolves when all is written, as far as it can be, and the file is closed. */
  async close(): Promise<void> {
    await this.#writing
    await this.#file?.close().catch(() => {})
    this.#file = null
  }

  async #drain(): Promise<void> {
    while (this.#waiting !== '') {
      await this.#follow()
      const text = this.#waiting
      this.#waiting = ''
      await this.#append(text)
      if (this.#leftOut > 0) this.#tell(`${this.#leftOut} lines are missing in ${this.path}: they came too fast`)
      this.#leftOut = 0
    }
  }

  async #append(text: string): Promise<void> {
    if (this.#file === null) return
    try {
      await this.#file.appendFile(text)
    } catch (error) {
      this.#tell(`${this.path} cannot be written: ${String(error)}`)
    }
  }

  /** Opens the file that the path is now. */
  async #follow(): Promise<void> {
    if (this.#file !== null && Math.abs(this.#now() - this.#lookedAt) < lookAgainMs) return
    this.#lookedAt = this.#now()
    if (this.#file !== null && (await this.#isSame(this.#file))) return
    try {
      const fresh = await open(this.path, 'a', 0o640)
      await this.#file?.close().catch(() => {})
      this.#file = fresh
    } catch (error) {
      const instead = this.#file === null ? 'its lines are lost' : 'its lines go on to the file that it was before'
      this.#tell(`${this.path} cannot be opened, so ${instead}: ${String(error)}`)
    }
  }

  async #isSame(file: FileHandle): Promise<boolean> {
    const [held, named] = await Promise.all([file.stat(), stat(this.path).catch(() => null)])
    return named !== null && named.ino === held.ino && named.dev === held.dev
  }

  #tell(message: string): void {
    if (this.#now() - this.#toldAt < tellAgainMs) return
    this.#toldAt = this.#now()
    this.#alarm(message)
  }
}
