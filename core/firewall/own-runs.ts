import { readlinkSync } from 'node:fs'

/** What the kernel calls the first namespace of process numbers (PROC_PID_INIT_INO of linux/proc_ns.h). */
const firstPidNamespace = 'pid:[4026531836]'
/** The kernel tells of a change soon after the run that made it. */
const rememberedMs = 60_000
const most = 1000
/** Where numbers cannot be compared: how long after one of our runs a change by an nft counts as ours. */
const nearMs = 1000

/** The processes that this program started to change the firewall, to tell their changes from those of others. */
export class OwnRuns {
  readonly #numbered: boolean
  readonly #runs = new Map<number, number>()
  #lastAt = Number.NEGATIVE_INFINITY

  /** `numbered`: whether the kernel knows our processes by the numbers that we know; in a container it does not. */
  constructor(numbered = isFirstNamespace()) {
    this.#numbered = numbered
  }

  started(pid: number): void {
    const now = performance.now()
    this.#lastAt = now
    this.#runs.delete(pid)
    this.#runs.set(pid, now)
    for (const [old, at] of this.#runs) {
      if (now - at < rememberedMs && this.#runs.size <= most) break
      this.#runs.delete(old)
    }
  }

  /** Whether a change by this process was ours. */
  has(pid: number, program: string): boolean {
    if (this.#numbered) return this.#runs.has(pid)
    return program === 'nft' && performance.now() - this.#lastAt < nearMs
  }
}

function isFirstNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') === firstPidNamespace
  } catch {
    return false
  }
}
