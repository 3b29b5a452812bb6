import { exitCodes, printable } from '../errors.ts'
import { addAgain, InstalledPackages } from '../settings/installed-packages.ts'
import { shortName } from '../settings/package-names.ts'
import { print, styled } from './output.ts'
import { installedPackage, pluginFolder } from './plugin-place.ts'
import type { PluginOptions } from './plugin.ts'

/** Looks whether packages are whole. Returns the exit code: 0, or 65 where one is not. */
export async function verifyPackages(names: readonly string[], { config, json }: PluginOptions): Promise<number> {
  const installed = new InstalledPackages(await pluginFolder(config))
  const all = await installed.all()
  const wanted = names.length === 0 ? all : [...new Set(names.map((name) => installedPackage(name, all)))]
  const looked: { readonly one: (typeof all)[number]; readonly flaw: string | null }[] = []
  for (const one of wanted) looked.push({ one, flaw: await installed.flawOf(one) })
  if (json) {
    const plain = looked.map(({ one: { name, version, integrity, tree, signature }, flaw }) => ({
      name,
      version,
      integrity,
      tree,
      signature,
      whole: flaw === null,
      problem: flaw,
    }))
    print(JSON.stringify({ packages: plain }, null, 2))
  } else if (looked.length === 0) print('no package is installed')
  else
    for (const { one, flaw } of looked) {
      const title = `${shortName(one.name)} ${one.version}`
      if (flaw === null) print(`${styled('green', 'whole')}    ${title}  (signature: ${printable(one.signature)})`)
      else {
        print(`${styled('red', 'changed')}  ${title}: ${printable(flaw)}`)
        print(`         the agent does not use it; "bailiff plugin add ${printable(addAgain(one))}" installs it anew`)
      }
    }
  return looked.some(({ flaw }) => flaw !== null) ? exitCodes.data : 0
}
