/**
 * A hook of node:module: `bailiff/plugin` is the agent's own module for every plugin, wherever its file
 * lies, so that both know the same `RetryLater`. Runs in the agent's thread or in that of the hooks.
 */
import type { ResolveHookContext } from 'node:module'

interface Resolved {
  readonly url: string
  readonly shortCircuit?: boolean
}

/** What an import means; everything but `bailiff/plugin` is left to Node. */
export function resolve<Result>(
  specifier: string,
  context: ResolveHookContext,
  nextResolve: (specifier: string, context: ResolveHookContext) => Result,
): Result | Resolved {
  if (specifier !== 'bailiff/plugin') return nextResolve(specifier, context)
  return { url: new URL('./plugin.js', import.meta.url).href, shortCircuit: true }
}
