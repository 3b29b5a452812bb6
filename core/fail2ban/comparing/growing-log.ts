import { open, stat, type FileHandle } from 'node:fs/promises'

const bytesAtOnce = 256 * 1024
/** A line that is longer is passed over. */
const longestLine = 64 * 1024
/** Of what was there before as much is read, at most. */
const mostBefore = 64 * 1024 * 1024

/** Reads a log that grows, line by line, through its rotations. */
export class GrowingLog {
  readonly path: string
  #file: FileHandle | null = null
  #offset = 0
  #rest = ''
  #begun = false

  constructor(path: string) {
    this.path = path
  }

  /**
   * The whole lines that came since the last call, the first time the last 64 MiB that there are. None while there is no such
   * file. Rejects with what the system says where it cannot be read.
   */
  async *lines(): AsyncGenerator<string> {
    if (this.#file === null && !(await this.#open())) return
    yield* this.#more()
    if (!(await this.#wasReplaced())) return
    // What was written before the change of names is there still.
    yield* this.#more()
    await this.close()
    if (await this.#open()) yield* this.#more()
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = null
  }

  async #open(): Promise<boolean> {
    try {
      this.#file = await open(this.path)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
      throw error
    }
    this.#offset = this.#begun ? 0 : Math.max(0, (await this.#file.stat()).size - mostBefore)
    this.#begun = true
    this.#rest = ''
    return true
  }

  async *#more(): AsyncGenerator<string> {
    const file = this.#file
    if (file === null) return
    if ((await file.stat()).size < this.#offset) this.#offset = 0
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytesAtOnce), 0, bytesAtOnce, this.#offset)
      if (bytesRead === 0) return
      this.#offset += bytesRead
      // A byte a character: ASCII is all that matters, and no character is cut in two.
      const lines = (this.#rest + buffer.toString('latin1', 0, bytesRead)).split('\n')
      this.#rest = (lines.pop() ?? '').slice(-longestLine)
      yield* lines.filter((line) => line.length < longestLine)
    }
  }

  async #wasReplaced(): Promise<boolean> {
    const [held, named] = await Promise.all([this.#file?.stat(), stat(this.path).catch(() => null)])
    return named !== null && held !== undefined && (named.ino !== held.ino || named.dev !== held.dev)
  }
}
