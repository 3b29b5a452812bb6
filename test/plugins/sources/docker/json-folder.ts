/** A folder of containers as dockerd keeps it: for each its configuration and its JSON files, rotated as it does. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { stampOf } from './engine-server.ts'

export class JsonFolder {
  readonly folder: string
  readonly #attrs: Readonly<Record<string, string>> | undefined
  #last = 0n

  /** `attrs` are what the option `labels` of the driver writes to each line. */
  constructor(folder: string, attrs?: Readonly<Record<string, string>>) {
    this.folder = folder
    this.#attrs = attrs
    mkdirSync(folder, { recursive: true })
  }

  create(id: string, name: string, labels: Readonly<Record<string, string>> = {}, driver = 'json-file'): void {
    mkdirSync(join(this.folder, id))
    const LogPath = `/var/lib/docker/containers/${id}/${id}-json.log`
    writeFileSync(join(this.folder, id, 'hostconfig.json'), JSON.stringify({ LogConfig: { Type: driver, Config: {} } }))
    // As dockerd writes it: beside, then renamed.
    const config = join(this.folder, id, 'config.v2.json')
    writeFileSync(
      `${config}.tmp`,
      JSON.stringify({ ID: id, Name: `/${name}`, LogPath, Config: { Labels: labels, Tty: false } }),
    )
    renameSync(`${config}.tmp`, config)
  }

  logOf(id: string): string {
    return join(this.folder, id, `${id}-json.log`)
  }

  write(id: string, text: string, stream = 'stdout', time = BigInt(Date.now()) * 1_000_000n): void {
    this.#last = time > this.#last ? time : this.#last
    const lines = (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).flatMap((line) => line.match(/[\s\S]{1,16384}/g) ?? [])
    const attrs = this.#attrs === undefined ? {} : { attrs: this.#attrs }
    // Trailing zeros of the second are left out.
    const stamp = stampOf(this.#last).replace(/\.?0+Z$/, 'Z')
    appendFileSync(
      this.logOf(id),
      lines.map((log) => `${JSON.stringify({ log, stream, ...attrs, time: stamp })}\n`).join(''),
    )
  }

  /** As `max-file` says: one file is truncated, more are renamed, `compress` packs all but the youngest. */
  rotate(id: string, files: number, compress = false): void {
    const log = this.logOf(id)
    if (files === 1) return truncateSync(log)
    const ending = compress ? '.gz' : ''
    rmSync(`${log}.${files - 1}${ending}`, { force: true })
    for (let i = files - 1; i > 1; i--)
      if (existsSync(`${log}.${i - 1}${ending}`)) renameSync(`${log}.${i - 1}${ending}`, `${log}.${i}${ending}`)
    renameSync(log, `${log}.1`)
    writeFileSync(log, '')
    if (!compress) return
    writeFileSync(`${log}.1.gz`, gzipSync(readFileSync(`${log}.1`)))
    rmSync(`${log}.1`)
  }

  remove(id: string): void {
    rmSync(join(this.folder, id), { recursive: true })
  }
}
