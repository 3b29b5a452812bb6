/**
 * A hook of node:module: `bailiff/plugin` is the agent's own module for every plugin, wherever its file
 * lies, so that both know the same `RetryLater`; `bailiff/testing` too, which a plugin and its test may share. Runs in the agent's thread or in that of the hooks.
 */
import type { ResolveHookContext } from 'node:module'

const ownModules: ReadonlyMap<string, string> = new Map([
  ['bailiff/plugin', './plugin.js'],
  ['bailiff/testing', './testing/index.js'],
])

interface Resolved {
  readonly url: string
  readonly shortCircuit?: boolean
}

/** What an import means; everything but the modules of Bailiff is left to Node. */
export function resolve<Result>(
  specifier: string,
  context: ResolveHookContext,
  nextResolve: (specifier: string, context: ResolveHookContext) => Result,
): Result | Resolved {
  const own = ownModules.get(specifier)
  if (own === undefined) return nextResolve(specifier, context)
  return { url: new URL(own, import.meta.url).href, shortCircuit: true }
}
