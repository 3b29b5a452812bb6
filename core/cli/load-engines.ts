import { basename, dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { engineFiles } from '../built-in.ts'
import { KeptFiles } from '../kept-files.ts'
import type { CompiledFilter, MatcherPlugin } from '../plugin.ts'
import { cacheFolder } from '../settings/places.ts'

/**
 * The engines that match filters, the best first; where all filters are known, without those that none of them is for: a
 * start is mostly the loading of modules. What they make of filters is kept for the next command.
 */
export async function loadEngines(filters?: readonly CompiledFilter[]): Promise<MatcherPlugin[]> {
  const kept = new KeptFiles(cacheFolder())
  const files = engineFiles().filter((file) => filters === undefined || mayTake(basename(dirname(file)), filters))
  return Promise.all(
    files.map(async (file): Promise<MatcherPlugin> => {
      const { default: engine } = (await import(pathToFileURL(file).href)) as { default: MatcherPlugin }
      return { compile: (some) => engine.compile(some, kept) }
    }),
  )
}

function mayTake(engine: string, filters: readonly CompiledFilter[]): boolean {
  if (engine === 'wasm-matcher') return filters.some(({ module }) => module !== undefined)
  return engine !== 'structured' || filters.some(({ structure }) => structure !== null)
}
