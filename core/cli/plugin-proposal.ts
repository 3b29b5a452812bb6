/** What a package is and asks for, as a person reads it before consenting. */
import { printable } from '../errors.ts'
import { inWords, type Asked } from '../packages/capabilities.ts'
import type { Proposal } from '../packages/install.ts'
import { shortName } from '../settings/package-names.ts'
import { isRecord } from '../settings/sourced.ts'
import { counted, styled } from './output.ts'

/** The whole proposal, some lines. Of an update, what is new has a `+`, what is gone a `-`. */
export function proposalText(proposal: Proposal): string {
  const { description, before, filters, jails, signature, installScripts, dependencies } = proposal
  const { name, version } = description
  const title = `${name} ${before === null ? version : versionsText(before.version, version)}`
  const facts: [string, string][] = [
    ...(description.description === '' ? [] : [['', description.description] as [string, string]]),
    ['signature', signature],
    ...(dependencies === 0 ? [] : [['needs', counted(dependencies, 'other package')] as [string, string]]),
    ...(installScripts.length === 0
      ? []
      : [
          ['scripts', `${installScripts.join(', ')}: run at the installation elsewhere; not run here`] as [
            string,
            string,
          ],
        ]),
    ...(filters.names.length === 0
      ? []
      : [
          ['filters', `${filters.names.join(', ')} (${counted(filters.tried, 'sample')}, all right)`] as [
            string,
            string,
          ],
        ]),
    ...(jails.length === 0 ? [] : [['jails', `${jails.join(', ')} (none is on unless named)`] as [string, string]]),
  ]
  return [
    styled('bold', printable(title)),
    ...facts.map(([what, text]) => `  ${what === '' ? '' : what.padEnd(11)}${printable(text)}`),
    ...askedLines(proposal),
  ].join('\n')
}

function versionsText(before: string, next: string): string {
  return before === next ? `${next}, with other files than the installed one` : `${before} -> ${next}`
}

/** All that plugins ask for, one line each below the name of the plugin. */
export function askedText(all: readonly Asked[], mark: (asked: Asked) => string = () => ' '): string[] {
  const plugins = [...new Set(all.map(({ plugin }) => plugin))]
  return plugins.flatMap((plugin) => [
    `  ${printable(plugin)}`,
    ...all.filter((asked) => asked.plugin === plugin).map((asked) => `  ${mark(asked)}   ${printable(inWords(asked))}`),
  ])
}

function askedLines({ all, more, noLonger, before }: Proposal): string[] {
  if (before === null) return askedText(all)
  const gone = noLonger.map((asked) => `  -   ${printable(`${asked.plugin}: ${inWords(asked)}`)}`)
  return [...askedText(all, (asked) => (more.includes(asked) ? styled('yellow', '+') : ' ')), ...gone]
}

/** How the configuration names what a package has, with the options that must be given. */
export function useText(
  name: string,
  plugins: readonly { kind: string; name: string; options?: unknown }[],
  filters: readonly string[],
  jails: readonly string[],
): string {
  const short = shortName(name)
  const word = short.startsWith('@') ? `'${short}'` : short
  // Where a filter comes with its matcher, the filter is what jails name.
  const first = plugins.find(({ kind }) => kind !== 'matcher') ?? (filters.length === 0 ? plugins[0] : undefined)
  const own = first !== undefined && (plugins.length === 1 || short.replace(/^.*[/:@]/, '') === first.name)
  const use =
    own || first === undefined ? word : short.startsWith('@') ? `'${short}/${first.name}'` : `${short}/${first.name}`
  const needed = neededText(first?.options)
  const given = needed === '' ? use : `{ ${use}: ${needed} }`
  const ways: Readonly<Record<string, string>> = {
    action: `also: [${given}]`,
    notifier: `notifiers: [${given}]`,
    source: `source: ${given}`,
    matcher: `filter: { matcher: ${use}${needed === '' ? '' : `, options: ${needed}`} }`,
  }
  if (first !== undefined) return `in a jail of bailiff.yaml: ${ways[first.kind] ?? use}`
  const [jail] = jails
  if (jail !== undefined)
    return `in bailiff.yaml: jails: { ${jail}: { from: ${short.startsWith('@') ? `'${short}/${jail}'` : `${short}/${jail}`} } }`
  const [filter] = filters
  return filter === undefined
    ? ''
    : `in bailiff.yaml: jails: { ${filter}: { filter: ${short.startsWith('@') ? `'${short}/${filter}'` : `${short}/${filter}`} } }`
}

/** The options without which a plugin is refused, with something in the place of their values; empty: there are none. */
function neededText(schema: unknown): string {
  const needed = isRecord(schema) && Array.isArray(schema.required) ? (schema.required as unknown[]) : []
  const properties = isRecord(schema) && isRecord(schema.properties) ? schema.properties : {}
  const each = needed
    .filter((name) => typeof name === 'string')
    .map((name) => `${inYaml(name)}: ${placeholder(name, properties[name])}`)
  return each.length === 0 ? '' : `{ ${each.join(', ')} }`
}

function placeholder(name: string, schema: unknown): string {
  const { type, minimum, enum: choices } = isRecord(schema) ? schema : {}
  if (Array.isArray(choices) && choices.length > 0) return inYaml(choices[0])
  if (type === 'integer' || type === 'number') return String(typeof minimum === 'number' ? minimum : 1)
  if (type === 'boolean') return 'true'
  if (type === 'array') return '[…]'
  return type === 'object' ? '{ … }' : inYaml(name.toUpperCase())
}

function inYaml(value: unknown): string {
  return typeof value === 'string' && /^[A-Za-z][\w-]*$/.test(value) ? value : JSON.stringify(value)
}
