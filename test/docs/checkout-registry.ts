import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { temporaryFolder } from '../core/cli/agent-process.ts'
import { npmEnv } from '../core/packages/made-packages.ts'

interface Described {
  readonly name: string
  readonly version: string
}

/**
 * The registry as it is when Bailiff has been published: this checkout and its `create-bailiff-plugin` as npm packs them,
 * and what Bailiff depends on as it lies in `node_modules`. So npm installs them for real, and reaches nobody.
 */
export class CheckoutRegistry {
  readonly #server: Server
  readonly #root: string
  /** Tarballs by the name of their package. */
  readonly #packed = new Map<string, Buffer>()

  private constructor(root: string) {
    this.#root = root
    this.#server = createServer(({ url = '' }, answer) => {
      const [, name = '', file] = /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+))?$/.exec(decodeURIComponent(url)) ?? []
      const folder = this.#folderOf(name)
      if (folder === null) answer.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
      else if (file === undefined)
        answer.writeHead(200, { 'content-type': 'application/json' }).end(this.#packument(folder))
      else answer.writeHead(200, { 'content-type': 'application/octet-stream' }).end(this.#tarball(name, folder))
    })
  }

  static async start(root: string): Promise<CheckoutRegistry> {
    const registry = new CheckoutRegistry(root)
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve))
    // npm may keep a connection.
    registry.#server.unref()
    return registry
  }

  /** What npm is to know to ask it and nobody else. */
  get env(): NodeJS.ProcessEnv {
    return npmEnv(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`)
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #folderOf(name: string): string | null {
    if (name === 'bailiff') return this.#root
    if (name === 'create-bailiff-plugin') return join(this.#root, 'plugins', name)
    const folder = join(this.#root, 'node_modules', name)
    return describe(folder) === null ? null : folder
  }

  #packument(folder: string): string {
    const described = describe(folder) ?? { name: '', version: '' }
    const { name, version } = described
    const tarball = `${this.env.npm_config_registry}${name}/-/${basename(name)}-${version}.tgz`
    const integrity = `sha512-${createHash('sha512').update(this.#tarball(name, folder)).digest('base64')}`
    const versions = { [version]: { ...described, dist: { tarball, integrity } } }
    return JSON.stringify({ name, 'dist-tags': { latest: version }, versions })
  }

  #tarball(name: string, folder: string): Buffer {
    const made = this.#packed.get(name) ?? (folder.includes('/node_modules/') ? tarOf(folder) : packOf(folder))
    this.#packed.set(name, made)
    return made
  }
}

function describe(folder: string): Described | null {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Described
  } catch {
    return null
  }
}

/** Without scripts: what is built is there, and other tests run with it. */
function packOf(folder: string): Buffer {
  const into = temporaryFolder()
  spawnSync('npm', ['pack', '--ignore-scripts', folder], { cwd: into, env: { ...process.env, ...npmEnv() } })
  const [file = ''] = readdirSync(into)
  return readFileSync(join(into, file))
}

function tarOf(folder: string): Buffer {
  const words = [
    '-C',
    dirname(folder),
    '--transform',
    `s,^${basename(folder)},package,`,
    '--use-compress-program',
    'gzip -1',
    '-cf',
    '-',
    basename(folder),
  ]
  return spawnSync('tar', words, { maxBuffer: 1 << 28 }).stdout
}
