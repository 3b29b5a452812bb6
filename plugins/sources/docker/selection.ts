import picomatch from 'picomatch'

/** A container, as the configuration may mean it. */
export interface Container {
  /** 64 hexadecimal digits. */
  readonly id: string
  /** Without the slash that engines put before it. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** Which containers are meant: all of these labels (`key` or `key=value`), and one of these names or ids. */
export interface Selection {
  readonly labels: readonly string[]
  /** May have `*` and `?`; empty: any name. */
  readonly containers: readonly string[]
}

/** Whether the container is one that is meant. */
export function selects({ labels, containers }: Selection, container: Container): boolean {
  if (!labels.every((label) => hasLabel(container, label))) return false
  return containers.length === 0 || containers.some((name) => isNamed(container, name))
}

function hasLabel({ labels }: Container, wanted: string): boolean {
  const equals = wanted.indexOf('=')
  if (equals < 0) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, equals)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1)
}

function isNamed({ id, name }: Container, wanted: string): boolean {
  if (name === wanted || (/^[0-9a-f]{12,64}$/.test(wanted) && id.startsWith(wanted))) return true
  return (
    /[*?]/.test(wanted) &&
    picomatch.isMatch(name, wanted, { noextglob: true, nobrace: true, nonegate: true, dot: true })
  )
}
