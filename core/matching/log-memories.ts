import type { JailMemories } from './messages.ts'

/** Logs remembered; with more, the one that was read longest ago is forgotten. Some KiB a log and jail. */
const maxLogs = 5000

/** What jails remember of each log up to where it is scanned. */
export class LogMemories {
  readonly #logs = new Map<string, JailMemories>()

  of(log: string): JailMemories {
    return this.#logs.get(log) ?? nothing
  }

  keep(log: string, memories: JailMemories): void {
    this.#logs.delete(log)
    if (Object.keys(memories).length === 0) return
    this.#logs.set(log, memories)
    for (const oldest of this.#logs.keys()) {
      if (this.#logs.size <= maxLogs) break
      this.#logs.delete(oldest)
    }
  }
}

const nothing: JailMemories = {}
