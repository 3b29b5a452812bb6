import { z } from 'zod'
import { type ActionBan, type ActionHost, defineAction, quote } from '../../core/plugin.ts'

/** What `{name}` stands for in an argument. Only values that Bailiff made itself; text from logs goes to stdin. */
const placeholders: Readonly<Record<string, (ban: ActionBan, now: number) => string>> = {
  prefix: (ban) => ban.prefix,
  address: (ban) => ban.prefix.replace(/\/.*/, ''),
  family: (ban) => (ban.prefix.includes(':') ? '6' : '4'),
  jail: (ban) => ban.jail,
  protocol: (ban) => ban.ports.protocol,
  ports: (ban) => ban.ports.ports.join(','),
  seconds: (ban, now) => (ban.until === null ? '0' : String(Math.max(1, Math.ceil((ban.until - now) / 1000)))),
  until: (ban) => (ban.until === null ? '0' : String(Math.ceil(ban.until / 1000))),
  failures: (ban) => String(ban.failures),
  count: (ban) => String(ban.count),
  reason: (ban) => ban.reason,
}

const argument = z.string().superRefine((text, context) => {
  for (const [, name] of text.matchAll(/\{([^{}]*)\}/g)) {
    if (name !== undefined && !Object.hasOwn(placeholders, name)) {
      context.addIssue({
        code: 'custom',
        message: `unknown placeholder ${quote(`{${name}}`)}; there are ${Object.keys(placeholders)
          .map((known) => `{${known}}`)
          .join(', ')}`,
      })
    }
  }
})
const command = z
  .tuple([z.string().regex(/^\/[^{}]*$/, 'the program must be an absolute path without placeholders')], argument)
  .describe('the program by its absolute path, then its arguments; no shell is involved')

const options = z.strictObject({
  ban: command.describe('run for every ban'),
  unban: command.optional().describe('run for every ban that ends'),
  env: z.record(z.string(), z.string()).default({}).describe('the whole environment of the program beside PATH'),
  restored: z.boolean().default(false).describe('whether bans from before the agent started are carried out again'),
})

/** Runs a program for every ban and unban. The ban is on its stdin as JSON; exit code 0 is success. */
export default defineAction<z.output<typeof options>>({
  options,
  restored: true,
  async ban(ban, host) {
    if (ban.reason === 'restored' && !host.options.restored) return
    await run(host.options.ban, ban, host)
  },
  async unban(ban, host) {
    if (host.options.unban) await run(host.options.unban, ban, host)
  },
})

async function run(
  template: readonly string[],
  ban: ActionBan,
  host: ActionHost<z.output<typeof options>>,
): Promise<void> {
  const [program = '', ...words] = template.map((word) => fill(word, ban, host.now()))
  const said = await host.runProgram([program, ...words], { env: host.options.env, stdin: `${JSON.stringify(ban)}\n` })
  if (said) host.log.info({ program }, said)
}

function fill(word: string, ban: ActionBan, now: number): string {
  return word.replace(/\{([^{}]*)\}/g, (whole, name: string) => placeholders[name]?.(ban, now) ?? whole)
}
