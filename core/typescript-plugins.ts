import { BailiffError, quote, type Where } from './errors.ts'

/** Whether this Node runs TypeScript as it is. */
export function runsTypeScript(): boolean {
  const { features } = process as { readonly features: { readonly typescript?: unknown } }
  return features.typescript === 'strip' || features.typescript === 'transform'
}

/** Throws a BailiffError, with the next step, for a file that this Node cannot load as a plugin; `where` is what names it. */
export function checkRunnable(file: string, where?: Where, typeScript = runsTypeScript()): void {
  const at = where && { where }
  if (/\.m?js$/.test(file)) return
  const isTypeScript = /\.m?ts$/.test(file)
  if (isTypeScript && typeScript) return
  if (isTypeScript)
    throw new BailiffError('config', `this Node (${process.version}) does not run TypeScript, so not ${quote(file)}`, {
      ...at,
      hint: `bailiff plugin build ${file}  makes JavaScript of it; Node 22.18 and later run it as it is`,
    })
  throw new BailiffError(
    'config',
    `a plugin is a module of JavaScript (.mjs or .js) or TypeScript (.ts), not ${quote(file)}`,
    at,
  )
}
