import { spawn } from 'node:child_process'
import { z } from 'zod'
import { BailiffError, printable, quote } from '../../core/errors.ts'
import { defineAction, type ActionBan, type ActionHost } from '../../core/plugin.ts'

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

const longestOutput = 4096

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
  const { signal } = host
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...host.options.env }
  // A process group of its own, so that at the deadline everything it started ends with it.
  const child = spawn(program, words, { shell: false, detached: true, cwd: '/', env, stdio: ['pipe', 'pipe', 'pipe'] })
  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  signal.addEventListener('abort', killGroup, { once: true })
  let output = ''
  const take = (data: Buffer) => (output = (output + data.toString('utf8')).slice(0, longestOutput))
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  // A program that does not read its stdin is fine.
  child.stdin.on('error', () => {})
  child.stdin.end(`${JSON.stringify(ban)}\n`)
  try {
    const [code, endedBy] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.on('error', (cause) =>
        reject(new BailiffError('os', `${program} cannot be run: ${cause.message}`, { cause })),
      )
      child.on('close', (...ended) => resolve(ended))
    })
    const said = printable(output.trim())
    if (code !== 0)
      throw new BailiffError(
        'unavailable',
        `${program} ended with ${endedBy ?? `exit code ${code}`}${said && `: ${said}`}`,
      )
    if (said) host.log.info({ program }, said)
  } finally {
    signal.removeEventListener('abort', killGroup)
  }
}

function fill(word: string, ban: ActionBan, now: number): string {
  return word.replace(/\{([^{}]*)\}/g, (whole, name: string) => placeholders[name]?.(ban, now) ?? whole)
}
