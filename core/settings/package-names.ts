/** The names of packages of plugins, and the short names that stand for them, as Babel has them. */

/** Characters of the name of a package of npm, in lower case, with its scope or without. */
const packageName = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/

/** Whether a text can be the name of a package of npm. Such a name is safe as a word of a command, and below a folder. */
export function isPackageName(text: string): boolean {
  return text.length <= 214 && packageName.test(text) && !text.startsWith('-') && text !== 'node_modules'
}

/**
 * The full name that a short one stands for: `edge` is `bailiff-plugin-edge`, `@scope/edge` is
 * `@scope/bailiff-plugin-edge`, `@scope` is `@scope/bailiff-plugin`. A full name, and one behind `module:`, is itself.
 */
export function fullName(given: string): string {
  if (given.startsWith('module:')) return given.slice('module:'.length)
  const [, scope = '', rest = ''] = /^(@[^/]*\/?)?(.*)$/s.exec(given) ?? []
  if (scope !== '' && rest === '') return `${scope.replace(/\/$/, '')}/bailiff-plugin`
  return /^bailiff-plugin(?:-|$)/.test(rest) ? given : `${scope}bailiff-plugin-${rest}`
}

/** The shortest name that stands for a package: `edge`, `@scope/edge`, `@scope`; of a package with another name, `module:NAME`. */
export function shortName(name: string): string {
  const [, scope, rest] = /^(@[^/]+)?\/?bailiff-plugin(?:-(.+))?$/.exec(name) ?? []
  const short = rest === undefined ? scope : scope === undefined ? rest : `${scope}/${rest}`
  return short !== undefined && fullName(short) === name ? short : `module:${name}`
}

/** Whether a name, short or full, means the package: `module:edge` is `edge` alone, `edge` is also `bailiff-plugin-edge`. */
export function means(given: string, name: string): boolean {
  return given === name || fullName(given) === name
}

/**
 * The ways in which a name can be that of a part of a package: `edge` is the package `edge` (part null) or a part
 * of some package, `edge/purge` is the part `purge` of `edge`, `@scope/edge` the package, or the part `edge` of `@scope`.
 */
export function readings(given: string): { readonly name: string; readonly part: string | null }[] {
  const cut = given.lastIndexOf('/')
  const whole = { name: given, part: null }
  return cut <= 0 ? [whole] : [whole, { name: given.slice(0, cut), part: given.slice(cut + 1) }]
}
