/** Capabilities of plugins one by one, as they are shown, consented to and compared. */
import type { Capabilities } from './manifest.ts'

/** One thing that a plugin asks for. */
export interface Asked {
  /** Which plugin: `action edge`. */
  readonly plugin: string
  /** `code`: it runs at all. */
  readonly capability: 'code' | 'host' | 'read' | 'write' | 'program' | 'secret' | 'firewall'
  /** The host, path, program or variable; empty for `code` and `firewall`. */
  readonly name: string
}

interface Asking {
  readonly kind: string
  readonly name: string
  readonly capabilities?: Capabilities | undefined
}

/** All that some plugins ask for, in the order in which it is shown: what weighs most first. */
export function allAsked(plugins: readonly Asking[]): Asked[] {
  return plugins.flatMap(({ kind, name, capabilities = {} }) => {
    const plugin = `${kind} ${name}`
    const { hosts = [], files = {}, programs = [], secrets = [], firewall = false } = capabilities
    const each = (capability: Asked['capability'], names: readonly string[]) =>
      [...new Set(names)].map((one) => ({ plugin, capability, name: one }))
    return [
      { plugin, capability: 'code' as const, name: '' },
      ...each('firewall', firewall ? [''] : []),
      ...each('program', programs),
      ...each('write', files.write ?? []),
      ...each('read', files.read ?? []),
      ...each('host', hosts),
      ...each('secret', secrets),
    ]
  })
}

/** What of `next` nobody consented to who consented to `before`. */
export function moreAsked(before: readonly Asked[], next: readonly Asked[]): Asked[] {
  return next.filter((asked) => !before.some((had) => covers(had, asked)))
}

/** What of `before` is no longer asked for. */
export function noLongerAsked(before: readonly Asked[], next: readonly Asked[]): Asked[] {
  return moreAsked(next, before)
}

/** A capability in words: `may talk to api.example.net`. */
export function inWords({ capability, name }: Asked): string {
  const words: Readonly<Record<Asked['capability'], string>> = {
    code: 'runs code of its own, in no more than what stands here',
    firewall: 'may ban in the firewall, and unban whom any jail banned',
    program: `may start ${name}`,
    write: `may change ${name}${name.endsWith('/') ? ' and all below it' : ''}`,
    read: `may read ${name}${name.endsWith('/') ? ' and all below it' : ''}`,
    host: name === '*' ? 'may talk to any host' : `may talk to ${name}`,
    secret: `gets the variable ${name} of the environment`,
  }
  return words[capability]
}

/** Whether who may do the one may do the other: any host covers each, a host its ports, a folder what is in it. */
function covers(had: Asked, asked: Asked): boolean {
  if (had.plugin !== asked.plugin || had.capability !== asked.capability) return false
  if (had.name === asked.name) return true
  if (had.capability === 'host') return had.name === '*' || asked.name.replace(/:\d+$/, '') === had.name
  const isPath = had.capability === 'read' || had.capability === 'write'
  return isPath && had.name.endsWith('/') && asked.name.startsWith(had.name)
}
