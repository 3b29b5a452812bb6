import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import type { StatusReport } from '../../core/control/api.ts'
import { AgentProcess, bailiff, temporaryFolder, writeConfig } from '../core/cli/agent-process.ts'

/** How an agent under test is to run. */
export interface ReadingAgentOptions {
  /** The logs of its jail `test`. */
  readonly logs: readonly string[]
  /** What finds a failure. */
  readonly failregex?: readonly string[]
  /** More jails, as YAML below `jails:`, two blanks deep. */
  readonly jails?: string
  /** What stands in `defaults` beside `maxretry` and `actions`. */
  readonly defaults?: string
  readonly folder?: string
  readonly env?: NodeJS.ProcessEnv
  /** Whether it goes before other programs of a busy machine, where that is allowed: for faults that leave little time. */
  readonly urgent?: boolean
}

/** When the action heard of a ban or unban, in milliseconds of the monotonic clock, which all processes share. */
export interface Told {
  readonly verb: 'ban' | 'unban'
  readonly prefix: string
  readonly at: number
}

/**
 * A real agent (`bailiff run`) that bans at the first failure and whose action keeps a file of what it
 * is told. Looked at from outside only: that file, its status, its memory.
 */
export class ReadingAgent {
  readonly folder: string
  readonly process: AgentProcess
  readonly #told: string

  constructor(options: ReadingAgentOptions) {
    this.folder = options.folder ?? temporaryFolder()
    mkdirSync(this.folder, { recursive: true })
    this.#told = join(this.folder, 'told')
    writeFileSync(this.#told, '', { flag: 'a' })
    writeFileSync(join(this.folder, 'keep.mjs'), keepingAction(this.#told))
    this.process = new AgentProcess(['run', '--config', writeConfig(this.folder, settings(options))], options.env)
    if (options.urgent) hurry(this.process.child.pid)
  }

  /** Resolves when the logs are followed. */
  async watching(): Promise<this> {
    await this.process.shows('watching: ')
    return this
  }

  told(): Told[] {
    return readFileSync(this.#told, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [verb, prefix = '', at] = line.split(' ')
        return { verb: verb === 'unban' ? 'unban' : 'ban', prefix, at: Number(at) }
      })
  }

  /** When each address was banned first. */
  banned(): Map<string, number> {
    const first = new Map<string, number>()
    for (const { verb, prefix, at } of this.told()) if (verb === 'ban' && !first.has(prefix)) first.set(prefix, at)
    return first
  }

  /** Waits until so many addresses are banned, or nothing has been banned for `quietMs`. */
  async settled(count: number, quietMs = 4000): Promise<Map<string, number>> {
    let [last, since] = [-1, now()]
    for (let banned = this.banned(); ; banned = this.banned()) {
      if (banned.size >= count || now() - since > quietMs) return banned
      if (banned.size !== last) [last, since] = [banned.size, now()]
      await sleep(50)
    }
  }

  /** Lines that the agent says it passed over. */
  async skipped(): Promise<number> {
    const { stdout } = await bailiff(['status', '--json', '--config', join(this.folder, 'bailiff.yaml')])
    const { logs } = JSON.parse(stdout) as StatusReport
    return logs.reduce((sum, { skipped }) => sum + skipped, 0)
  }

  /** Resident memory in MiB, and the most it ever was. */
  memory(): { readonly now: number; readonly peak: number } {
    const status = readFileSync(`/proc/${this.process.child.pid}/status`, 'utf8')
    const mib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024
    return { now: mib('VmRSS'), peak: mib('VmHWM') }
  }

  /** Stops the whole process for a while, as a machine without a processor to spare does. */
  async stall(ms: number): Promise<void> {
    this.process.child.kill('SIGSTOP')
    await sleep(ms)
    this.process.child.kill('SIGCONT')
  }
}

/** Milliseconds of the monotonic clock. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** The line of a failure, and the address that stands for its number: each has its own. */
export function failureLine(number: number): string {
  return `${new Date().toISOString()} host app[7]: failure of somebody from ${failureAddress(number)}\n`
}

export function failureAddress(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
}

/** At once, for threads take it from the one that makes them. */
function hurry(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, -15)
  } catch {
    // Only root may.
  }
}

function settings({ logs, failregex, jails = '', defaults = 'bantime: 1h' }: ReadingAgentOptions): string {
  const rules = (failregex ?? ['^failure of .* from <ADDR>$']).map((text) => `        - ${JSON.stringify(text)}\n`)
  const filter = `    filter:\n      programs: [app]\n      failregex:\n${rules.join('')}`
  const test = `  test:\n    sources:\n      - file: { path: ${JSON.stringify(logs)} }\n${filter}`
  const usual = `maxretry: 1, actions: [./keep.mjs], ${defaults}`
  return `ignoreself: false\ndefaults: { ${usual} }\njails:\n${test}${jails}`
}

/** An action in plain JavaScript, as a user would write it. */
function keepingAction(file: string): string {
  return `import { appendFileSync } from 'node:fs'
const keep = (verb, bans) => {
  const at = Number(process.hrtime.bigint()) / 1e6
  appendFileSync(${JSON.stringify(file)}, bans.map(({ prefix }) => \`\${verb} \${prefix} \${at}\\n\`).join(''))
}
export default {
  ban: (ban) => keep('ban', [ban]),
  unban: (ban) => keep('unban', [ban]),
  banMany: (bans) => keep('ban', bans),
  unbanMany: (bans) => keep('unban', bans),
}
`
}
