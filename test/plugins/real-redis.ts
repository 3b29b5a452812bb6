import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { temporaryFolder } from '../core/cli/agent-process.ts'

/** A Redis of its own, on a free port of this machine; it ends with the test at the latest. */
export class RealRedis {
  readonly #child: ChildProcess
  readonly #port: number

  private constructor(port: number) {
    this.#port = port
    const words = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', temporaryFolder()]
    this.#child = spawn('redis-server', words, { stdio: 'ignore' })
    process.once('exit', () => this.stop())
  }

  static async start(): Promise<RealRedis> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const redis = new RealRedis(port)
    for (let i = 0; i < 600 && redis.#ask('PING') !== 'PONG'; i++)
      await new Promise((resolve) => setTimeout(resolve, 50))
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`
  }

  /** Puts a line into a stream, as its field `line`. */
  add(stream: string, line: string): void {
    this.#ask('XADD', stream, '*', 'line', line)
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }

  #ask(...words: string[]): string {
    return spawnSync('redis-cli', ['-p', `${this.#port}`, ...words], { encoding: 'utf8' }).stdout.trim()
  }
}
