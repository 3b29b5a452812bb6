/** The reference of the plugin API, made of the declarations that the compiler writes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What `bailiff/plugin` and `bailiff/testing` have: which file declares it, under which heading. */
const parts: readonly [heading: string, file: string, names: readonly string[]][] = [
  ['bailiff/plugin', 'core/plugin.d.ts', []],
  [
    'What flows: events and bans',
    'core/events.d.ts',
    ['Ports', 'Ban', 'BanReason', 'UnbanReason', 'AgentEvent', 'listOfJail'],
  ],
  ['Addresses', 'core/address.d.ts', ['Address', 'Prefix', 'parseAddress', 'parsePrefix', 'PrefixSet']],
  [
    'Errors',
    'core/errors.d.ts',
    ['BailiffError', 'Where', 'exitCodes', 'describeError', 'printable', 'quote', 'whyUnreadable'],
  ],
]

/** The reference as Markdown. `root` is the folder of the compiled files. */
export function referenceText(root: string): string {
  const read = (file: string) => readFileSync(join(root, file), 'utf8')
  const testing = testingFiles(read('core/testing/index.d.ts'))
  const sections = [
    ...parts.map(([heading, file, names]) => section(heading, declarations(read(file)), names)),
    manifestText(declarations(read('core/packages/manifest.d.ts'))),
    '## bailiff/testing\n\nFor tests of plugins, under any test runner.',
    ...testing.map(([file, names]) => section('', declarations(read(`core/testing/${file}`)), names)),
  ]
  return `# Plugin reference

Every name of \`bailiff/plugin\` and \`bailiff/testing\`, with what it guarantees. This file is printed from the declarations:
\`npm run docs\` writes it anew. [writing-plugins.md](writing-plugins.md) is the guide. Times are unix milliseconds, in UTC.

${sections.join('\n\n')}
`
}

/** A `package.json` that has all that a manifest can have. */
export const wholePackage = {
  name: 'bailiff-plugin-edge',
  version: '1.0.0',
  description: 'Bans at the edge.',
  keywords: ['bailiff-plugin'],
  license: 'MIT',
  files: ['edge.mjs', 'odd.wasm', 'filters', 'jails'],
  type: 'module',
  peerDependencies: { bailiff: '>=0.1.0' },
  bailiff: {
    api: 1,
    provides: [
      {
        kind: 'action',
        name: 'edge',
        module: 'edge.mjs',
        options: {
          type: 'object',
          properties: {
            url: { type: 'string', description: 'where bans are sent' },
            tries: { type: 'integer', minimum: 1, default: 3, description: 'how often' },
          },
          required: ['url'],
          additionalProperties: false,
        },
        capabilities: {
          hosts: ['api.example.net:443'],
          files: { read: ['/etc/edge.conf'], write: ['/var/lib/edge/'] },
          programs: ['/usr/bin/logger'],
          secrets: ['EDGE_TOKEN'],
          firewall: true,
        },
      },
      { kind: 'matcher', name: 'odd', module: 'odd.wasm' },
    ],
    filters: 'filters',
    jails: 'jails',
  },
}

function manifestText(all: readonly Declaration[]): string {
  const example = `\`\`\`json\n${JSON.stringify(wholePackage, null, 2)}\n\`\`\``
  return `## The manifest\n\nThe field \`bailiff\` of \`package.json\`. \`bailiff plugin pack\` checks it.\n\n${example}\n\n${section('', all, [])}`
}

interface Declaration {
  readonly name: string
  readonly text: string
}

/** The exported declarations of a file, each with the comment above it. */
function declarations(text: string): Declaration[] {
  const found: Declaration[] = []
  const starts =
    /^(?:\/\*\*(?:(?!\*\/)[^])*\*\/\n)?export (?:declare )?(?:abstract )?(?:interface|type|const|function|class) (\w+)/gm
  const places = [...text.matchAll(starts)]
  for (const [index, { 1: name = '', index: at }] of places.entries()) {
    const end = places[index + 1]?.index ?? text.length
    const whole = text.slice(at, end)
    found.push({
      name,
      text: whole.replace(/\n(?:\/\*\*|export \{|declare |interface |type |export type \{)[^]*$/, '').trim(),
    })
  }
  return found
}

function section(heading: string, all: readonly Declaration[], names: readonly string[]): string {
  const wanted = names.length === 0 ? all : names.map((name) => all.find((one) => one.name === name) ?? missing(name))
  const title = heading === '' ? [] : [`## ${heading}`]
  return [...title, ...wanted.map(({ name, text }) => `### ${name}\n\n\`\`\`ts\n${text}\n\`\`\``)].join('\n\n')
}

function missing(name: string): never {
  throw new Error(`${name} is not declared where it was; change the list in test/docs/reference-text.ts`)
}

/** The files that the module of tests exports from, and which names. */
function testingFiles(index: string): [file: string, names: string[]][] {
  return Array.from(
    index.matchAll(/^export \{ ([^}]+) \} from '\.\/([\w-]+)\.(?:ts|js)';?$/gm),
    ([, names = '', file = '']) => [`${file}.d.ts`, names.split(',').map((name) => name.trim().replace(/^type /, ''))],
  )
}
