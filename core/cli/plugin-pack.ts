import { printable } from '../errors.ts'
import { packFolder } from '../packages/pack-package.ts'
import { PluginHosts } from '../plugin-host/plugin-hosts.ts'
import { shortName } from '../settings/package-names.ts'
import { loadEngines } from './load-engines.ts'
import { counted, print } from './output.ts'
import type { PluginOptions } from './plugin.ts'

/** Checks and packs a package. Throws a BailiffError with what is wrong with it. */
export async function packPackage(folder: string, { json }: PluginOptions): Promise<void> {
  const hosts = new PluginHosts()
  const packing = { hosts, engines: await loadEngines(), into: process.cwd() }
  const packed = await packFolder(folder, packing).finally(() => hosts.stop())
  const { description, tarball, integrity, files, written, samples } = packed
  const { name, version, manifest } = description
  if (json) {
    print(JSON.stringify({ package: name, version, tarball, integrity, files, written, samples, manifest }, null, 2))
    return
  }
  for (const field of written) print(`wrote ${printable(field)} into package.json`)
  const has = manifest.provides.map((plugin) => `${plugin.kind} ${plugin.name}`)
  const filters = manifest.filters === undefined ? [] : [`filters (${counted(samples, 'sample')})`]
  print(
    `${name} ${version}: ${[...has, ...filters, ...(manifest.jails === undefined ? [] : ['jails'])].join(', ')}; ${counted(files, 'file')}`,
  )
  print(`${printable(tarball)}\n  ${integrity}`)
  print(`  try it: bailiff plugin add ${printable(tarball)}`)
  print(`  publish it: npm publish ${printable(tarball)}; then others add it as ${shortName(name)}`)
}
