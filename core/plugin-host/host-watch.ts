/** Sees when a plugin host takes too much memory, or answers nothing any more. */
import { processTree, procText, residentBytes } from './process-tree.ts'

const lookEveryMs = 500
/** A tick of the times in /proc/PID/stat (proc(5)); Linux tells user space 100 a second on every machine. */
const tickMs = 10
/** Silent for so long while it computed for most of it: a loop without end. */
const loopMs = 3000
const loopCpuMs = 2000
/** Silent for so long whatever it does: it waits for something and lets nothing else happen. */
const silentMs = 15_000
/** More programs at once than any plugin needs, and more than are to be looked at. */
const mostProcesses = 200
const mebibyte = 1024 * 1024

export interface HostWatchOptions {
  /** The process that was started. */
  readonly pid: number
  /** How many stand above the host itself, each started by the one before. */
  readonly above: number
  readonly memoryBytes: number
  readonly ping: (ping: number) => void
  /** Called with what is wrong, for people. */
  readonly bad: (what: string) => void
  /** Called at each look. */
  readonly looked: () => void
}

/** Looks twice a second until it is stopped, at the host and at all that it started. Where there is no /proc it only asks. */
export class HostWatch {
  readonly #options: HostWatchOptions
  readonly #timer: NodeJS.Timeout
  #ping = 0
  #asked: { readonly at: number; readonly cpuMs: number } | null = null
  #pid: number | null = null
  #wasTooMuch = false

  constructor(options: HostWatchOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** It answered. */
  pong(ping: number): void {
    if (ping === this.#ping) this.#asked = null
  }

  /** The host itself, once it is there. */
  get hostPid(): number | null {
    const { pid, above } = this.#options
    this.#pid ??= processTree(pid, above + 1)[above] ?? null
    return this.#pid
  }

  /** What the host and all that it started hold. */
  get memoryBytes(): number {
    return residentBytes(processTree(this.#options.pid, mostProcesses))
  }

  #look(): void {
    this.#options.looked()
    const { pid, bad } = this.#options
    const tree = processTree(pid, mostProcesses)
    if (tree.length >= mostProcesses) return bad(`it has more than ${mostProcesses} processes`)
    const tooMuch = this.#tooMuch(tree)
    if (tooMuch !== null) return bad(tooMuch)
    const host = this.hostPid ?? pid
    const now = performance.now()
    if (this.#asked === null) {
      this.#asked = { at: now, cpuMs: cpuMs(host) }
      return this.#options.ping(++this.#ping)
    }
    const silent = now - this.#asked.at
    const computed = cpuMs(host) - this.#asked.cpuMs
    if (silent >= loopMs && computed >= loopCpuMs)
      return bad(`it computed for ${(computed / 1000).toFixed(1)} s and answered nothing: a loop without end`)
    if (silent >= silentMs) bad(`it answered nothing for ${silentMs / 1000} s`)
  }

  /** Programs count as well. One that just begins shares all with who starts it, and seems to double that: it counts when it lasts. */
  #tooMuch(tree: readonly number[]): string | null {
    const { memoryBytes } = this.#options
    const own = residentBytes([this.hostPid ?? this.#options.pid])
    const all = residentBytes(tree)
    const took = own > memoryBytes || (all > memoryBytes && this.#wasTooMuch) ? Math.max(own, all) : 0
    this.#wasTooMuch = all > memoryBytes
    if (took === 0) return null
    const programs = own > memoryBytes ? '' : ', with the programs that it started'
    const [taken, allowed] = [took, memoryBytes].map((bytes) => Math.round(bytes / mebibyte))
    return `it took ${taken} MiB of memory${programs}, ${allowed} are allowed`
  }
}

/** What a process has computed since it began. */
function cpuMs(pid: number): number {
  // The name of the program, in parentheses, may hold anything.
  const fields = procText(`${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * tickMs
}
