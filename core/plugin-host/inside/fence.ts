/**
 * What a manifest does not name is refused to the plugin in its own process, and told. Node has no permission for
 * hosts before version 25, and none for single programs. A belt, no boundary: code that means harm finds a way around
 * what stands in its own process.
 */
import * as childProcess from 'node:child_process'
import * as dgram from 'node:dgram'
import type * as Dns from 'node:dns'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import * as net from 'node:net'
import type { Fence } from '../messages.ts'

type Changeable = Record<string, (...words: unknown[]) => unknown>

/** Whom a connection is for. */
interface Target {
  readonly host: string
  readonly port: number | null
}

// A plugin may replace any function of JavaScript; these are what they were before it was loaded.
const { apply } = Reflect
const lower = Function.prototype.call.bind(String.prototype.toLowerCase) as (text: string) => string
const cut = Function.prototype.call.bind(String.prototype.slice) as (text: string, from: number, to: number) => string
const { isArray } = Array
/** The object behind a module, which code that imports it later sees. */
const fromNode = createRequire(import.meta.url)

/** Puts the fence up, for good. `denied` hears of each try. */
export function putUpFence({ hosts, programs }: Fence, denied: (what: string) => void): void {
  const names = setOf([...hosts, ...hosts.map(lower)])
  const anywhere = names('*')
  const mayRun = setOf(programs)
  const noted = (what: string): Error => {
    denied(what)
    return Object.assign(new Error(`${what}: the manifest of the plugin does not name it`), {
      code: 'ERR_ACCESS_DENIED',
    })
  }
  const refuse = (what: string): never => {
    throw noted(what)
  }
  const sockets = net.Socket.prototype as unknown as Changeable
  const { connect } = sockets
  sockets.connect = function (this: net.Socket, ...words) {
    const asked = connectionOf(words)
    const { host, port } = targetOf(asked.options)
    const name = lower(host)
    const allowed =
      anywhere ||
      names(host) ||
      names(name) ||
      names(`${name}:${port}`) ||
      names(`[${name}]:${port}`) ||
      names(`[${name}]`)
    if (allowed) return apply(connect as () => unknown, this, [asked.options, asked.callback])
    // As a connection that fails: who waits for it hears of it.
    const error = noted(`it may not connect to ${host}${port === null ? '' : `:${port}`}`)
    process.nextTick(() => this.destroy(error))
    return this
  }
  const close = (on: object, name: string, what: string): void => {
    const functions = on as Changeable
    if (typeof functions[name] === 'function') functions[name] = () => refuse(what)
  }
  if (!anywhere) {
    for (const name of ['send', 'connect', 'bind']) close(dgram.Socket.prototype, name, 'it may not send datagrams')
    close(net.Server.prototype, 'listen', 'it may not wait for connections')
    for (const [on, name] of namesOfDns()) {
      if (name === 'setServers') close(on, name, 'it may not choose name servers')
      else if (hosts.length === 0) close(on, name, 'it may not ask for names')
    }
  }
  const module = fromNode('node:child_process') as Changeable
  for (const name of ['spawn', 'spawnSync', 'execFile', 'execFileSync', 'exec', 'execSync', 'fork'] as const) {
    const original = childProcess[name] as (...words: unknown[]) => unknown
    module[name] = (...words) => {
      const shell = name === 'exec' || name === 'execSync'
      if (!shell && name !== 'fork') words[0] = `${words[0] as string}`
      const program = shell ? '/bin/sh' : name === 'fork' ? process.execPath : (words[0] as string)
      if (!mayRun(program)) refuse(`it may not run ${cut(program, 0, 200)}`)
      return apply(original, undefined, words)
    }
  }
  syncBuiltinESMExports()
}

function setOf(words: readonly string[]): (word: string) => boolean {
  const all = new Set(words)
  return all.has.bind(all)
}

/** All that asks name servers, and what they are asked by. */
function* namesOfDns(): Generator<[on: object, name: string]> {
  const dns = fromNode('node:dns') as typeof Dns
  const { promises, Resolver } = dns
  const of = [dns, promises, Resolver.prototype, promises.Resolver.prototype]
  for (const one of of)
    for (
      let on: object | null = one as object;
      on !== null && on !== Object.prototype;
      on = Object.getPrototypeOf(on) as object | null
    )
      for (const name of Object.getOwnPropertyNames(on))
        if (/^(resolve|reverse|lookup|setServers)/.test(name)) yield [on, name]
}

/** What a call of `connect` asks for, read once, for it may be another the next time; Node hands its own calls over as one array. */
function connectionOf(words: readonly unknown[]): { options: Record<string, unknown>; callback: unknown } {
  const given = isArray(words[0]) ? (words[0] as unknown[]) : words
  const first = given[0]
  const last = given[given.length - 1]
  const callback = typeof last === 'function' ? last : undefined
  if (typeof first === 'object' && first !== null) return { options: { ...first }, callback }
  const isPath = typeof first === 'string' && !(+first >= 0)
  if (isPath) return { options: { path: first }, callback }
  return { options: { port: first, ...(typeof given[1] === 'string' ? { host: given[1] } : {}) }, callback }
}

/** Whom Node will connect to: the path of a socket counts before all. Makes the options say so. */
function targetOf(options: Record<string, unknown>): Target {
  const { path, host, port } = options
  if (path) return { host: (options.path = `${path as string}`), port: null }
  // Who names an address himself could name any for a host.
  options.lookup = undefined
  options.host = host ? `${host as string}` : 'localhost'
  options.port = port == null ? port : +(port as string)
  return { host: options.host as string, port: options.port as number }
}
