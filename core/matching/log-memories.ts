import type { JailMemories } from './messages.ts'

/** Logs remembered; with more, the one that was read longest ago is forgotten. Some KiB a log and jail. */
const maxLogs = 5000

/** What jails remember of each log up to where it is scanned. */
export class LogMemories {
  readonly #logs = new Map<string, JailMemories>()

  of(log: string): JailMemories {
    return this.#logs.get(log) ?? nothing
  }

  /** Undefined: no jail of the log remembers anything. */
  keep(log: string, memories: JailMemories | undefined): void {
    if (memories === undefined) return
    this.#logs.delete(log)
    this.#logs.set(log, memories)
    for (const oldest of this.#logs.keys()) {
      if (this.#logs.size <= maxLogs) break
      this.#logs.delete(oldest)
    }
  }
}

const nothing: JailMemories = {}
