import { createReadStream, watch } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import type { ContainerLog } from './container-log.ts'
import { entryOfJson } from './entry.ts'

const readBytes = 256 * 1024
/** A line of a piece of 16 KiB, with each byte escaped, is shorter. */
const maxLineBytes = 1024 * 1024
const lookEveryMs = 1000
const maxRotated = 1000
/** What ends a search by time: from here on all is read. */
const nearBytes = 1024 * 1024

/**
 * Reads the log that dockerd's driver `json-file` writes, through its rotations (`NAME.1`, `NAME.2.gz`, or truncated):
 * one JSON object a line. Lines that are none, as a machine that lost its power leaves them, are passed over.
 */
export class JsonLog {
  readonly #path: string
  readonly #log: ContainerLog
  readonly #signal: AbortSignal
  /** Ends the pause, if there is one; whether something was heard since the last. */
  #wake: () => void = () => {}
  #heard = false

  constructor(path: string, log: ContainerLog, signal: AbortSignal) {
    this.#path = path
    this.#log = log
    this.#signal = signal
  }

  /** Runs until the signal aborts or `isOver` says that nothing more comes. Rejects where the file cannot be read. */
  async follow(isOver: () => boolean): Promise<void> {
    const watcher = watched(dirname(this.#path), () => {
      this.#heard = true
      this.#wake()
    })
    try {
      while (!this.#signal.aborted) {
        this.#log.again()
        const file = await this.#openAll()
        if (file !== null) {
          if (await this.#tail(file, isOver).finally(() => file.close())) return
        } else if (isOver()) return
        else await this.#pause()
      }
    } finally {
      watcher?.close()
    }
  }

  /** Reads what was rotated away since the place, oldest first, and opens the file that is written to. */
  async #openAll(): Promise<FileHandle | null> {
    const since = Number(this.#log.place.since / 1_000_000n)
    const youngest = await this.#youngestRotated()
    for (const path of await this.#rotated()) {
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }))
      if (mtimeMs >= since) await this.#readWhole(path)
    }
    const file = await open(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    // Rotated meanwhile: what was written to until now has not been read, and is another's name by now.
    if (file !== null && (await this.#youngestRotated()) === youngest) return file
    await file?.close()
    return null
  }

  async #youngestRotated(): Promise<number> {
    return (await stat(`${this.#path}.1`).catch(() => ({ ino: 0 }))).ino
  }

  /** The oldest first. Asked for by name: the folder of a container may be closed to those who may read the log. */
  async #rotated(): Promise<string[]> {
    const found: string[] = []
    for (let number = 1; number < maxRotated; number++) {
      const names = [`${this.#path}.${number}`, `${this.#path}.${number}.gz`]
      const there = await Promise.all(
        names.map((name) =>
          stat(name).then(
            () => name,
            () => null,
          ),
        ),
      )
      const path = there.find((name) => name !== null)
      if (path === undefined || path === null) break
      found.unshift(path)
    }
    return found
  }

  async #readWhole(path: string): Promise<void> {
    const lines = new JsonLines()
    const file = createReadStream(path, { signal: this.#signal, highWaterMark: readBytes })
    const content = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
    file.on('error', (error) => content.destroy(error))
    try {
      for await (const bytes of content as AsyncIterable<Buffer>) await this.#take(lines, bytes)
    } catch (error) {
      // Rotated further meanwhile, or only half compressed: then there is another that has it.
      if (!(error instanceof Error) || !('code' in error)) throw error
    }
  }

  /** True when nothing more comes; false when the file was rotated away or written anew. */
  async #tail(file: FileHandle, isOver: () => boolean): Promise<boolean> {
    const lines = new JsonLines()
    const buffer = Buffer.alloc(readBytes)
    let at = await this.#beginning(file)
    for (let last = false; !this.#signal.aborted;) {
      const { bytesRead } = await file.read(buffer, 0, readBytes, at)
      at += bytesRead
      if (bytesRead > 0) await this.#take(lines, buffer.subarray(0, bytesRead))
      else if (last) return isOver()
      else {
        const next = await this.#state(file, at)
        if (next === 'shorter') return false
        // Once more: what was written before it was rotated away, or the container ended.
        last = next === 'another' || isOver()
        if (!last) await this.#pause()
      }
    }
    return true
  }

  async #state(file: FileHandle, at: number): Promise<'same' | 'another' | 'shorter'> {
    const own = await file.stat()
    if (own.size < at) return 'shorter'
    const there = await stat(this.#path).catch(() => null)
    return there === null || (there.ino === own.ino && there.dev === own.dev) ? 'same' : 'another'
  }

  async #take(lines: JsonLines, bytes: Buffer): Promise<void> {
    await this.#log.take(lines.push(bytes).flatMap((line) => entryOfJson(line) ?? []))
  }

  /** Where to begin: nothing before has a time from the place on. Logs that are not rotated may be of any size. */
  async #beginning(file: FileHandle): Promise<number> {
    const { since } = this.#log.place
    let [low, high] = [0, (await file.stat()).size]
    while (since > 0n && high - low > nearBytes) {
      const middle = Math.floor((low + high) / 2)
      const time = await this.#timeAfter(file, middle)
      if (time === null || time >= since) high = middle
      else low = middle
    }
    return low
  }

  /** The time of the first whole line behind an offset; null where there is none near. */
  async #timeAfter(file: FileHandle, offset: number): Promise<bigint | null> {
    const buffer = Buffer.alloc(readBytes)
    const { bytesRead } = await file.read(buffer, 0, readBytes, offset)
    const [, ...whole] = buffer.toString('utf8', 0, bytesRead).split('\n')
    for (const line of whole) {
      const entry = entryOfJson(line)
      if (entry !== null) return entry.time
    }
    return null
  }

  /** Until something happens beside the file, or a second. */
  async #pause(): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    if (!this.#heard)
      await setTimeout(lookEveryMs, undefined, { signal: AbortSignal.any([this.#signal, woken.signal]) }).catch(
        () => {},
      )
    this.#heard = false
  }
}

/** Cuts bytes into lines; those that are too long are passed over. */
class JsonLines {
  #rest: Buffer = Buffer.alloc(0)
  #inside = false

  push(bytes: Buffer): string[] {
    const data = Buffer.concat([this.#rest, bytes])
    const end = data.lastIndexOf(0x0a) + 1
    const lines = end === 0 ? [] : data.toString('utf8', 0, end - 1).split('\n')
    if (this.#inside && end > 0) lines.shift()
    if (end > 0) this.#inside = false
    this.#rest = Buffer.from(data.subarray(end))
    if (this.#rest.length > maxLineBytes) {
      this.#rest = Buffer.alloc(0)
      this.#inside = true
    }
    return lines
  }
}

function watched(folder: string, heard: () => void) {
  try {
    const watcher = watch(folder, { persistent: false }, heard)
    watcher.on('error', heard)
    return watcher
  } catch {
    return null
  }
}
