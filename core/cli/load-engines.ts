import { pathToFileURL } from 'node:url'
import { engineFiles, matcherFiles } from '../built-in.ts'
import { KeptFiles } from '../kept-files.ts'
import type { MatcherPlugin } from '../plugin.ts'
import { cacheFolder } from '../settings/places.ts'

/**
 * The engines that match filters, the best first. What they make of filters is kept for the next command. `withModules`:
 * whether some of the filters may name a module of WebAssembly.
 */
export async function loadEngines(withModules = true): Promise<MatcherPlugin[]> {
  const kept = new KeptFiles(cacheFolder())
  return Promise.all(
    (withModules ? engineFiles() : matcherFiles()).map(async (file): Promise<MatcherPlugin> => {
      const { default: engine } = (await import(pathToFileURL(file).href)) as { default: MatcherPlugin }
      return { compile: (filters) => engine.compile(filters, kept) }
    }),
  )
}
