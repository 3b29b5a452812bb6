/** What a manifest may say, as a schema: the shape is that of `manifest.ts`. */
import { isAbsolute, normalize } from 'node:path/posix'
import * as z from 'zod'
import { schemaTypes } from '../plugin-options.ts'
import { section, text } from '../settings/option-kinds.ts'

const maxSchemaLength = 65_536

const one = (what: string, test: (given: string) => boolean) => z.string().max(4096).refine(test, { error: what })

/** A path that stays in its package: no `..`, no empty part, nothing that hides. */
const inside = (given: string) =>
  given !== '' && /^[\w@.+-]+(?:\/[\w@.+-]+)*$/.test(given) && given.split('/').every((part) => !/^\.+$/.test(part))

const withoutDot = (given: unknown) => (typeof given === 'string' ? given.replace(/^\.\//, '') : given)

const isPlain = (given: string) =>
  isAbsolute(given) && normalize(given) === given && !/[\p{Cc}\p{Zl}\p{Zp}*?]/u.test(given)

const modulePath = z.preprocess(
  withoutDot,
  z
    .string()
    .max(4096)
    .superRefine((given, context) => {
      const isTypeScript = inside(given) && /\.[cm]?ts$/.test(given)
      const built = given.replace(/\.[cm]?ts$/, '.mjs')
      const message = isTypeScript
        ? `must be a path in the package to JavaScript and not TypeScript: "bailiff plugin build ${given}" writes ${built}, for Node takes no types out of what is installed`
        : 'must be a path in the package that ends in .mjs, .js, .cjs or .wasm, without ".."'
      if (!inside(given) || !/\.(?:[cm]?js|wasm)$/.test(given)) context.addIssue({ code: 'custom', message })
    }),
)

const folderPath = z.preprocess(
  (given) => (typeof given === 'string' ? given.replace(/^\.\//, '').replace(/\/$/, '') : given),
  one('must be a folder in the package, such as "filters", without ".."', inside),
)

const host = one(
  'must be a host, HOST:PORT, or * for any',
  (given) => given === '*' || /^(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(given),
)

const file = one('must be an absolute path, without ".." and patterns; a folder ends in a slash', isPlain)

const program = one('must be the absolute path of a program', (given) => isPlain(given) && !given.endsWith('/'))

const secret = one(
  'must be a variable in capitals, and none that changes how programs start (NODE_, LD_, PATH) or is ours (BAILIFF_)',
  (given) => /^(?!NODE_|LD_|PATH$|BAILIFF_)[A-Z][A-Z0-9_]{1,63}$/.test(given),
)

const many = <Item extends z.ZodType>(item: Item) => z.array(item).max(100)

const capabilities = section({
  hosts: many(host).optional(),
  files: section({ read: many(file).optional(), write: many(file).optional() }).optional(),
  programs: many(program).optional(),
  secrets: many(secret).optional(),
  firewall: z.boolean().optional(),
})

/** A JSON Schema of a map, that the validator of the agent can read. */
export const optionsSchema = z.unknown().superRefine((given, context) => {
  const flaw = flawOfOptions(given)
  if (flaw !== null) context.addIssue({ code: 'custom', message: flaw })
})

const provided = section({
  kind: z.enum(['source', 'matcher', 'action', 'notifier']),
  name: one('must be up to 64 lower-case letters and digits with dashes between', (given) =>
    /^(?=.{1,64}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(given),
  ),
  module: modulePath,
  options: optionsSchema.optional(),
  capabilities: capabilities.optional(),
}).superRefine(({ kind, module, capabilities: asked }, context) => {
  if (module.endsWith('.wasm') && kind !== 'matcher')
    context.addIssue({ code: 'custom', path: ['module'], message: `only a matcher is WebAssembly, not ${aKind(kind)}` })
  if (asked?.firewall && kind !== 'action')
    context.addIssue({ code: 'custom', path: ['capabilities', 'firewall'], message: 'only an action has the firewall' })
})

/** The field `bailiff` of a `package.json`. */
export const manifestSchema = section({
  api: z.int().min(1),
  provides: z.array(provided).max(64).default([]),
  filters: folderPath.optional(),
  jails: folderPath.optional(),
}).superRefine(({ provides, filters, jails }, context) => {
  if (provides.length === 0 && filters === undefined && jails === undefined)
    context.addIssue({ code: 'custom', message: 'has neither plugins (provides) nor filters nor jails' })
  const keys = provides.map(({ kind, name }) => `${kind} ${name}`)
  const twice = keys.findIndex((key, index) => keys.indexOf(key) !== index)
  if (twice >= 0)
    context.addIssue({ code: 'custom', path: ['provides', twice, 'name'], message: `the ${keys[twice]} is here twice` })
})

/** What a `package.json` must have beside its manifest; of the rest nothing is asked. */
export const packageSchema = z.looseObject({
  name: text,
  version: one('must be a version such as 1.0.0', (given) =>
    /^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]{1,64})?(?:\+[0-9A-Za-z.-]{1,64})?$/.test(given),
  ),
  description: z.string().optional(),
  keywords: z.array(z.string()).optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
  peerDependencies: z.record(z.string(), z.string()).optional(),
  peerDependenciesMeta: z.record(z.string(), z.looseObject({ optional: z.boolean().optional() })).optional(),
  scripts: z.record(z.string(), z.unknown()).optional(),
})

function flawOfOptions(given: unknown): string | null {
  const isSchema = typeof given === 'object' && given !== null && (given as { type?: unknown }).type === 'object'
  if (!isSchema) return 'must be a JSON Schema with "type": "object"'
  if (JSON.stringify(given).length > maxSchemaLength) return `is longer than ${maxSchemaLength} characters`
  try {
    z.fromJSONSchema(given as Parameters<typeof z.fromJSONSchema>[0])
    return null
  } catch (error) {
    return `is a JSON Schema that cannot be read: ${error instanceof Error ? error.message : String(error)}; ${schemaTypes}`
  }
}

function aKind(kind: string): string {
  return kind === 'action' ? 'an action' : `a ${kind}`
}
