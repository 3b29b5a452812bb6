import { type Address, BailiffError, parseAddress, quote } from '../../../core/plugin.ts'

/** Where to listen. */
export interface Endpoint {
  readonly protocol: 'udp' | 'tcp' | 'tls'
  readonly address: Address
  readonly port: number
  /** As it was written. */
  readonly text: string
}

const usualPorts = { udp: 514, tcp: 601, tls: 6514 } as const
const examples = 'udp://127.0.0.1:5514, tcp://[::1]:6601 or tls://192.0.2.1:6514'

/** Reads `udp://ADDRESS:PORT`, `tcp://…` and `tls://…`; throws a `BailiffError` that says what is wrong. */
export function parseEndpoint(text: string): Endpoint {
  if (/^(?:unix|unixgram):|^\//.test(text))
    throw new BailiffError(
      'data',
      `${quote(text)} is a path, and Node cannot listen on a socket for datagrams that is one`,
      {
        hint: 'let journald or rsyslog have /dev/log, and forward to udp://127.0.0.1:5514',
      },
    )
  const [, protocol = '', inBrackets, plain, port] =
    /^(\w+):\/\/(?:\[([^\]]*)\]|([^:/]*))(?::(\d{1,5}))?\/?$/.exec(text) ?? []
  if (!isProtocol(protocol))
    throw new BailiffError('data', `${quote(text)} is no place to listen on, as ${examples} is`)
  const address = parseAddress(inBrackets ?? plain ?? '')
  if (address === null)
    throw new BailiffError(
      'data',
      `${quote(text)} names no address; a name is not looked up: write one, as in ${examples}`,
    )
  const number = port === undefined ? usualPorts[protocol] : Number(port)
  if (number < 1 || number > 65_535) throw new BailiffError('data', `${quote(text)} has no port between 1 and 65535`)
  return { protocol, address, port: number, text }
}

/** Whether only this machine can reach it. */
export function isLoopback(address: Address): boolean {
  return address === '::1' || address.startsWith('127.')
}

function isProtocol(text: string): text is Endpoint['protocol'] {
  return Object.hasOwn(usualPorts, text)
}
