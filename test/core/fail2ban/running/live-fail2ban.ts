import { spawn, type ChildProcess } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { comparedEnvironment, comparedPython, comparedTree } from '../../../compared-fail2ban.ts'
import { which } from '../../../suite.ts'

const running = new Set<LiveFail2ban>()
process.on('exit', () => running.forEach((each) => each.kill()))

/** A folder of its own with the configuration of Debian's fail2ban, no jail enabled, and all its places in the folder. */
export class TreeCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'bailiff-tree-'))
  readonly tree = join(this.folder, 'tree')
  /** What Fail2ban writes of itself. */
  readonly log = join(this.folder, 'fail2ban.log')

  constructor() {
    cpSync(comparedTree, this.tree, { recursive: true })
    for (const file of readdirSync(join(this.tree, 'jail.d'))) rmSync(join(this.tree, 'jail.d', file))
    const server = { logtarget: this.log, socket: this.socket, pidfile: this.pidfile, dbfile: `${this.folder}/db` }
    this.write('fail2ban.local', { Definition: server })
    writeFileSync(this.log, '')
  }

  get socket(): string {
    return join(this.folder, 'fail2ban.sock')
  }

  get pidfile(): string {
    return join(this.folder, 'fail2ban.pid')
  }

  /** Writes a file of the tree: options by section. */
  write(file: string, sections: Readonly<Record<string, Readonly<Record<string, string | number>>>>): void {
    const text = Object.entries(sections).map(([section, options]) => {
      const lines = Object.entries(options).map(([name, value]) => `${name} = ${value}\n`)
      return `[${section}]\n${lines.join('')}\n`
    })
    writeFileSync(join(this.tree, file), text.join(''))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A real fail2ban-server in the foreground, with the places of its tree. */
export class LiveFail2ban {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Resolves when all jails have started. */
  static async start({ tree, log, socket, pidfile }: TreeCopy, jails: readonly string[]): Promise<LiveFail2ban> {
    const words = ['-c', tree, '-s', socket, '-p', pidfile, '-f', 'start']
    const program = which('fail2ban-server') ?? 'fail2ban-server'
    const child = spawn(comparedPython, ['-W', 'ignore', program, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...comparedEnvironment },
    })
    const live = new LiveFail2ban(child)
    running.add(live)
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (said += data))
    for (let i = 0; i < 1500 && child.exitCode === null; i++) {
      const text = readFileSync(log, 'utf8')
      if (jails.every((jail) => text.includes(`Jail '${jail}' started`))) return live
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`fail2ban did not start: ${said}\n${readFileSync(log, 'utf8')}`)
  }

  async end(): Promise<void> {
    running.delete(this)
    if (this.#child.exitCode !== null) return
    const gone = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.kill('SIGTERM')
    await gone
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
