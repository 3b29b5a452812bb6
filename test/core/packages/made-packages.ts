import { createHash, sign, type KeyObject } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { temporaryFolder } from '../cli/agent-process.ts'

/** What stands in a package: texts by path. */
export type Files = Readonly<Record<string, string>>

/** A `package.json` with a manifest of one action, `edge`; what is given comes instead. */
export function packageJson(given: object = {}, bailiff: object = {}): string {
  return JSON.stringify({
    name: 'bailiff-plugin-edge',
    version: '1.0.0',
    keywords: ['bailiff-plugin'],
    bailiff: { api: 1, provides: [provided()], ...bailiff },
    ...given,
  })
}

/** The action `edge` as a manifest has it; it writes into the file of its option `path`. */
export function provided(given: object = {}): object {
  const options = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }
  return { kind: 'action', name: 'edge', module: 'edge.mjs', options, ...given }
}

/** The module of that action. */
export const edgeModule = `import { appendFileSync } from 'node:fs'
import { RetryLater } from 'bailiff/plugin'
export default {
  ban({ prefix }, host) {
    appendFileSync(host.options.path, \`\${typeof RetryLater} ban \${prefix}\\n\`)
  },
  unban({ prefix }, host) {
    appendFileSync(host.options.path, \`unban \${prefix}\\n\`)
  },
}
`

/** Writes a package into a new folder: unless given, that of the action `edge`. */
export function packageFolder(files: Files = {}): string {
  const folder = join(temporaryFolder(), 'package')
  const all = { 'package.json': packageJson(), 'edge.mjs': edgeModule, ...files }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** An entry of a tarball, as hostile as one likes. */
export interface TarEntry {
  readonly path: string
  readonly text?: string
  /** As in the header: `0` is a file, `5` a folder, `2` a link. */
  readonly type?: string
  readonly link?: string
  /** In octal, `0004755`. */
  readonly mode?: string
  /** What the header says of the size, where that is not true. */
  readonly size?: number
}

/** A tarball of ustar, without its compression. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)])
}

/** A tarball of a package as npm writes it: all in one folder, compressed. */
export function tarball(files: Files): Buffer {
  return gzipSync(tar(Object.entries(files).map(([path, text]) => ({ path: `package/${path}`, text }))))
}

/** Writes a tarball into a new folder. */
export function tarballFile(data: Buffer, name = 'made.tgz'): string {
  const file = join(temporaryFolder(), name)
  writeFileSync(file, data)
  return file
}

function tarEntry({ path, text = '', type = '0', link = '', mode = '0000644', size }: TarEntry): Buffer {
  const content = Buffer.from(text)
  const header = Buffer.alloc(512)
  header.write(path, 0, 100)
  header.write(`${mode}\0`, 100)
  header.write(`${(size ?? content.length).toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(link, 157, 100)
  header.write('ustar\0', 257)
  header.write('00', 263)
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}

/** A registry of packages on this machine, as far as npm asks one. */
export class LocalRegistry {
  readonly #server: Server
  readonly #packages = new Map<string, Map<string, Buffer>>()
  readonly #manifests = new Map<string, object>()
  readonly #forged = new Map<string, Buffer>()
  readonly #published = new Map<string, number>()
  readonly #signatures = new Map<string, object[]>()
  /** What is told at `/-/npm/v1/keys`; null: nothing. */
  keys: readonly object[] | null = null

  private constructor() {
    this.#server = createServer(({ url = '' }, answer) => {
      const [status, type, body] = this.#answer(decodeURIComponent(url.split('?')[0] ?? ''))
      answer.writeHead(status, { 'content-type': type }).end(body)
    })
  }

  static async start(): Promise<LocalRegistry> {
    const registry = new LocalRegistry()
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve))
    // The test may end while npm keeps a connection.
    registry.#server.unref()
    return registry
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** What npm is to know to ask it and nobody else. */
  get env(): NodeJS.ProcessEnv {
    return npmEnv(this.url)
  }

  /** Unless said, it is an old one. */
  publish(files: Files, publishedAt = Date.UTC(2025, 0, 1)): void {
    const { name, version } = JSON.parse(files['package.json'] ?? '{}') as { name: string; version: string }
    this.#published.set(`${name}@${version}`, publishedAt)
    const versions = this.#packages.get(name) ?? new Map<string, Buffer>()
    versions.set(version, tarball(files))
    this.#packages.set(name, versions)
    this.#manifests.set(`${name}@${version}`, JSON.parse(files['package.json'] ?? '{}') as object)
  }

  /** From now on gives this in the place of the tarball of `NAME@VERSION`. */
  forge(version: string, data: Buffer): void {
    this.#forged.set(version, data)
  }

  /** Signs `NAME@VERSION`, whatever its tarball, unless `text` is signed in its place. */
  sign(version: string, keyid: string, key: KeyObject, text?: string): void {
    const [, name = '', number = ''] = /^(.+)@(.+)$/.exec(version) ?? []
    const data = this.#packages.get(name)?.get(number) ?? Buffer.alloc(0)
    const signed = text ?? `${version}:${integrityOf(data)}`
    const sig = sign('sha256', Buffer.from(signed), key).toString('base64')
    this.#signatures.set(version, [{ keyid, sig }])
  }

  /** Of the tarball of `NAME@VERSION`. */
  integrity(version: string): string {
    const [, name = '', number = ''] = /^(.+)@(.+)$/.exec(version) ?? []
    return integrityOf(this.#packages.get(name)?.get(number) ?? Buffer.alloc(0))
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #answer(path: string): [status: number, type: string, body: string | Buffer] {
    if (path === '/-/npm/v1/keys' && this.keys !== null)
      return [200, 'application/json', JSON.stringify({ keys: this.keys })]
    const [, name = '', version = ''] = /^\/(.+?)(?:\/-\/(.+)\.tgz)?$/.exec(path) ?? []
    const versions = this.#packages.get(name)
    if (versions === undefined) return [404, 'application/json', '{"error":"not found"}']
    const data = this.#forged.get(`${name}@${version}`) ?? versions.get(version)
    if (data !== undefined) return [200, 'application/octet-stream', data]
    return [200, 'application/json', JSON.stringify(this.#packument(name, versions))]
  }

  #packument(name: string, versions: ReadonlyMap<string, Buffer>): object {
    const { npm_config_registry: own = '' } = this.env
    const described = [...versions].map(([version, data]) => {
      const signatures = this.#signatures.get(`${name}@${version}`)
      const dist = { tarball: `${own}${name}/-/${version}.tgz`, integrity: integrityOf(data), signatures }
      return [version, { ...this.#manifests.get(`${name}@${version}`), dist }] as const
    })
    const time = Object.fromEntries(
      [...versions.keys()].map((version) => [
        version,
        new Date(this.#published.get(`${name}@${version}`) ?? 0).toISOString(),
      ]),
    )
    return { name, 'dist-tags': { latest: described.at(-1)?.[0] }, versions: Object.fromEntries(described), time }
  }
}

function integrityOf(data: Buffer): string {
  return `sha512-${createHash('sha512').update(data).digest('base64')}`
}

/** What npm is to know to ask this registry, without what the user of the machine has set. */
export function npmEnv(registry = 'http://127.0.0.1:9/'): NodeJS.ProcessEnv {
  return {
    npm_config_registry: registry,
    npm_config_cache: join(temporaryFolder(), 'npm-cache'),
    npm_config_userconfig: '/nowhere/.npmrc',
    npm_config_fetch_retries: '0',
  }
}
