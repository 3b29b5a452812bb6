/** A long-lived `nft monitor`, which prints what anybody changes in any table. */
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { MonitorReader, type MonitorReaderOptions } from './monitor-output.ts'

export interface NftMonitorOptions extends MonitorReaderOptions {
  /** The program nft and its first words. */
  readonly command: readonly string[]
}

/** A monitor that ends is started again after growing pauses; one that ran for a minute was no failure. */
const pauses = { firstMs: 500, longestMs: 5000, settledMs: 60_000 }

/** With it the monitor is killed when this process dies, however it does; else it ends at the next change. */
const setpriv = ['/usr/bin/setpriv', '/bin/setpriv']

/** Runs the monitor until `stop`. While none runs, changes are not heard: `lost` is told each time that one was started again. */
export class NftMonitor {
  readonly #options: NftMonitorOptions
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #pauseMs = pauses.firstMs
  #stopped = false

  constructor(options: NftMonitorOptions) {
    this.#options = options
    this.#start()
  }

  /** The process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#child?.kill('SIGKILL')
  }

  #start(): void {
    const started = performance.now()
    const reader = new MonitorReader(this.#options)
    const [program = '', ...words] = [...dyingTogether(), ...this.#options.command, 'monitor']
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'], env: { LANG: 'C' } })
    this.#child = child
    child.stdout?.on('data', (bytes: Buffer) => reader.read(bytes))
    child.on('error', () => {})
    child.on('close', () => {
      this.#child = undefined
      if (performance.now() - started > pauses.settledMs) this.#pauseMs = pauses.firstMs
      if (!this.#stopped) this.#timer = setTimeout(() => this.#startAgain(), this.#pauseMs)
      this.#pauseMs = Math.min(pauses.longestMs, this.#pauseMs * 2)
    })
  }

  #startAgain(): void {
    this.#start()
    this.#options.heard({ kind: 'lost' })
  }
}

function dyingTogether(): string[] {
  const found = setpriv.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  return found === undefined ? [] : [found, '--pdeathsig', 'KILL']
}
