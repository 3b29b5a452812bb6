/** What this build of Bailiff made of a text, kept for the next command. */
import { deserialize, serialize } from 'node:v8'
import type { KeptTables } from '../plugin.ts'
import { makersMark } from './prepared-files.ts'

export class KeptValues {
  readonly #kept: KeptTables
  readonly #mark = makersMark()

  constructor(kept: KeptTables) {
    this.#kept = kept
  }

  /** What was kept of this text, made in this way; null where nothing was. */
  read(way: string, text: string): unknown {
    const bytes = this.#kept.read(this.#keyOf(way, text))
    try {
      return bytes === null ? null : deserialize(bytes)
    } catch {
      return null
    }
  }

  /** Keeps plain data. */
  write(way: string, text: string, value: unknown): void {
    this.#kept.write(this.#keyOf(way, text), serialize(value))
  }

  #keyOf(way: string, text: string): string {
    return `${this.#mark} ${process.versions.v8} ${way}\n${text}`
  }
}
