import { isAbsolute } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { BailiffError, defineSource, parsePrefix, type Prefix, PrefixSet } from '../../core/plugin.ts'
import { Certificates } from './syslog/certificates.ts'
import { ConnectionListener } from './syslog/connections.ts'
import { DatagramListener } from './syslog/datagrams.ts'
import { isLoopback, parseEndpoint, type Endpoint } from './syslog/endpoint.ts'
import { Outlet } from './syslog/outlet.ts'

const lookEveryMs = 5000
const oneselfAlone = ['127.0.0.0/8', '::1']

const endpoint = z.string().superRefine((text, context) => {
  try {
    parseEndpoint(text)
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    context.addIssue({
      code: 'custom',
      message: [error.message, error.hint].filter(Boolean).join('; '),
      continue: false,
    })
  }
})

const prefix = z.string().refine((text) => parsePrefix(text) !== null, {
  error: 'expected an address or a prefix such as 192.0.2.0/24',
})

const path = z.string().refine(isAbsolute, 'expected an absolute path')

const shape = z.strictObject({
  listen: z
    .union([endpoint, z.array(endpoint).min(1)], {
      error: (issue) =>
        issue.errors.flat().find(({ code }) => code === 'custom')?.message ??
        (issue.input === undefined
          ? 'is missing: say where to listen, such as udp://127.0.0.1:5514'
          : 'expected a place such as udp://127.0.0.1:5514, or a list'),
    })
    .describe('Where to listen: `udp://ADDRESS:PORT`, `tcp://…`, `tls://…`.'),
  from: z
    .union([prefix, z.array(prefix).min(1)])
    .describe('Addresses and prefixes that may send; needed to listen for others than this machine.')
    .optional(),
  cert: path.describe('The certificate of a `tls` listener, PEM.').optional(),
  key: path.describe('Its key, PEM.').optional(),
  ca: path.describe('Who signs the certificates of clients, PEM.').optional(),
  clients: z
    .enum(['certified', 'any'])
    .describe('Whether clients of `tls` need a certificate of `ca`, as they do unless said otherwise.')
    .optional(),
})

const options = shape.superRefine(({ listen, from, cert, key, ca, clients }, context) => {
  const all = endpoints(listen)
  const open = all.find(({ address }) => !isLoopback(address))
  const wrong = (option: string, message: string) => context.addIssue({ code: 'custom', path: [option], message })
  if (open !== undefined && from === undefined)
    wrong('from', `is missing: ${open.text} is open to others, so say who may send, such as [192.0.2.0/24]`)
  if (!all.some(({ protocol }) => protocol === 'tls')) return
  if (cert === undefined) wrong('cert', 'is missing: tls needs a certificate')
  if (key === undefined) wrong('key', 'is missing: tls needs the key of its certificate')
  if (clients !== 'any' && ca === undefined)
    wrong('ca', 'is missing: it signs the certificates of clients; with "clients: any" they need none')
})

/**
 * Receives syslog messages from others, RFC 3164 or 5424, by UDP, TCP and TLS. Each sender, by the address that it sends
 * from, is a log of its own. Nothing is listened to that the configuration does not name.
 */
export default defineSource<z.output<typeof options>>({
  options,
  async start(emit, host) {
    const { listen, from, cert, key, ca, clients } = host.options
    const senders = [from ?? oneselfAlone].flat().map((text) => parsePrefix(text) as Prefix)
    const outlet = new Outlet(emit, host, new PrefixSet(senders))
    const certificates = () =>
      new Certificates({ cert: cert ?? '', key: key ?? '', ca: clients === 'any' ? null : (ca ?? '') })
    const listeners: (DatagramListener | ConnectionListener)[] = []
    let failure: unknown = null
    try {
      for (const endpoint of endpoints(listen)) {
        const { protocol } = endpoint
        const listener =
          protocol === 'udp'
            ? new DatagramListener(endpoint, outlet)
            : new ConnectionListener(endpoint, outlet, protocol === 'tls' ? certificates() : null)
        listeners.push(listener)
        await listener.listen((error) => (failure ??= error))
      }
      while (!host.signal.aborted && failure === null) {
        await setTimeout(lookEveryMs, undefined, { signal: host.signal }).catch(() => {})
        for (const listener of listeners) listener.tick()
        outlet.tally.tick()
      }
      if (failure !== null) throw failure
    } finally {
      await Promise.all(listeners.map((listener) => listener.close()))
    }
  },
})

function endpoints(listen: string | readonly string[]): Endpoint[] {
  return [listen].flat().map(parseEndpoint)
}
