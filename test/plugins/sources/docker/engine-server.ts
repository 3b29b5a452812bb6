/**
 * A small engine: the part of Docker's HTTP API that the source asks, on a Unix socket, as dockerd 24 answers it:
 * chunked, in frames unless the container has a terminal, a time stamp before each piece of a line.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { rmSync } from 'node:fs'

export interface Written {
  readonly stream: 1 | 2
  readonly time: bigint
  /** A piece of a long line has no newline. */
  readonly text: string
}

export interface FakeContainer {
  readonly id: string
  name: string
  readonly labels: Readonly<Record<string, string>>
  readonly tty: boolean
  running: boolean
  readonly written: Written[]
}

export class EngineServer {
  readonly containers = new Map<string, FakeContainer>()
  /** What was asked, in order. */
  readonly asked: string[] = []
  readonly socket: string
  readonly #server: Server
  readonly #events = new Set<ServerResponse>()
  readonly #following = new Map<ServerResponse, { readonly id: string; sent: number; readonly since: bigint }>()
  #last = 0n

  constructor(socket: string) {
    this.socket = socket
    this.#server = createServer((request, response) => this.#answer(request, response))
  }

  async listen(): Promise<this> {
    rmSync(this.socket, { force: true })
    await new Promise<void>((resolve) => this.#server.listen(this.socket, resolve))
    return this
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  create(name: string, labels: Readonly<Record<string, string>> = {}, tty = false): FakeContainer {
    const id = (this.containers.size + 1).toString(16).padStart(64, 'a')
    const container = { id, name, labels, tty, running: true, written: [] }
    this.containers.set(id, container)
    this.tell('start', id)
    return container
  }

  /** Ends a container, as `docker stop` does; with `remove` as `docker run --rm` does. */
  end(container: FakeContainer, remove = false): void {
    container.running = false
    for (const [response, { id }] of this.#following) {
      if (id !== container.id) continue
      this.#following.delete(response)
      response.end()
    }
    if (remove) this.containers.delete(container.id)
    this.tell(remove ? 'destroy' : 'die', container.id)
  }

  restart(container: FakeContainer): void {
    container.running = true
    this.tell('start', container.id)
  }

  tell(action: string, id: string): void {
    const event = { Type: 'container', Action: action, Actor: { ID: id }, time: 0 }
    for (const response of this.#events) response.write(`${JSON.stringify(event)}\n`)
  }

  /** Writes as a container does: its lines, long ones in pieces of 16 KiB. Times go up, some are equal. */
  write(container: FakeContainer, text: string, stream: 1 | 2 = 1, time = BigInt(Date.now()) * 1_000_000n): void {
    this.#last = time > this.#last ? time : this.#last
    for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
      for (let at = 0; at < line.length; at += 16_384)
        container.written.push({ stream, time: this.#last, text: line.slice(at, at + 16_384) })
    }
    this.#flush()
  }

  #flush(): void {
    for (const [response, following] of this.#following) {
      const container = this.containers.get(following.id)
      if (container === undefined) continue
      const fresh = container.written.slice(following.sent).filter(({ time }) => time >= following.since)
      following.sent = container.written.length
      const bytes = Buffer.concat(fresh.map((one) => frame(one, container.tty)))
      // Cut anywhere, as a busy socket does.
      for (let at = 0; at < bytes.length; at += 1021) response.write(bytes.subarray(at, at + 1021))
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://engine')
    this.asked.push(url.pathname + url.search)
    const [, , id = '', what = ''] = url.pathname.split('/')
    if (url.pathname === '/events') return this.#tellEvents(response)
    if (url.pathname === '/containers/json') return json(response, this.#list(url.searchParams))
    const container = this.containers.get(id)
    if (container === undefined) return json(response, { message: `No such container: ${id}` }, 404)
    if (what === 'json') return json(response, { Id: id, Config: { Tty: container.tty } })
    if (what === 'logs') return this.#tellLog(response, container, url.searchParams)
    json(response, { message: 'page not found' }, 404)
  }

  #tellEvents(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    this.#events.add(response)
    response.on('close', () => this.#events.delete(response))
  }

  #list(query: URLSearchParams): object[] {
    const { label = [] } = JSON.parse(query.get('filters') ?? '{}') as { label?: string[] }
    return [...this.containers.values()]
      .filter(({ running }) => running || query.get('all') === '1')
      .filter(({ labels }) =>
        label.every((one) => Object.entries(labels).some(([k, v]) => one === k || one === `${k}=${v}`)),
      )
      .map(({ id, name, labels, running }) => ({
        Id: id,
        Names: [`/${name}`],
        Labels: labels,
        State: running ? 'running' : 'exited',
      }))
  }

  #tellLog(response: ServerResponse, container: FakeContainer, query: URLSearchParams): void {
    const [second = '0', fraction = '0'] = (query.get('since') ?? '0').split('.')
    const since = BigInt(second) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
    const kind = container.tty ? 'raw-stream' : 'multiplexed-stream'
    response.writeHead(200, { 'content-type': `application/vnd.docker.${kind}` })
    response.flushHeaders()
    this.#following.set(response, { id: container.id, sent: 0, since })
    response.on('close', () => this.#following.delete(response))
    this.#flush()
    if (container.running) return
    this.#following.delete(response)
    response.end()
  }
}

function frame({ stream, time, text }: Written, tty: boolean): Buffer {
  const stamped = Buffer.from(`${stampOf(time)} ${tty ? text.replace(/\n$/, '\r\n') : text}`)
  if (tty) return stamped
  const head = Buffer.alloc(8)
  head[0] = stream
  head.writeUInt32BE(stamped.length, 4)
  return Buffer.concat([head, stamped])
}

/** RFC 3339 with nine digits, as engines write it. */
export function stampOf(time: bigint): string {
  const second = new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  return `${second}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`
}

function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
