/** The changes of our table as messages of nf_tables, the same that nft sends. */
import { setImmediate as otherWork } from 'node:timers/promises'
import { endianness } from 'node:os'
import type { WirePorts } from '../messages.ts'
import { bitsOf, type SetKey } from '../set-names.ts'
import { secondsLeft, type Change, type Element } from '../table-changes.ts'
import { chain, table, type Step } from '../table-layout.ts'
import { writeExpressions } from './expressions.ts'
import { attribute, flag, keyType, message, setFlag } from './kernel-numbers.ts'
import type { MessageWriter } from './messages-out.ts'
import { expressionsOf } from './rules.ts'
import type { Change as Message } from './socket.ts'

/** The type of a set's keys. */
export const keyTypeOf = (family: 4 | 6) => (family === 4 ? keyType.ipv4 : keyType.ipv6)

export const hookNumber = { prerouting: 0 } as const
export const policyNumber = { accept: 1 } as const

/** An element takes 52 bytes at most, and a list of them 64 KiB. */
const elementsEach = 1200
/** After so many elements other work gets its turn; without a compiler they take 20 ms. */
const elementsInOneGo = 20_000

/** nft reads in it the order of bytes of the keys: key 0, length 4, the number 2 (big-endian) in the machine's order. */
const userData = Uint8Array.from(endianness() === 'LE' ? [0, 4, 2, 0, 0, 0] : [0, 4, 0, 0, 0, 2])

/** Adds the messages for changes to a transaction. */
export class TableMessages {
  readonly #add: (message: Message) => void
  readonly #size: number
  readonly #now = performance.now()
  #lastId = 0
  #inOneGo = 0

  /** `size` is how many elements a set takes. */
  constructor(add: (message: Message) => void, size: number) {
    this.#add = add
    this.#size = size
  }

  async write(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      switch (change.do) {
        case 'create':
          await this.#elements(message.newElement, change, flag.create | flag.exclusive)
          break
        case 'put':
          await this.#elements(message.newElement, change, flag.create, true)
          break
        case 'renew':
          await this.#remove(
            change.name,
            change.elements.map(({ address }) => address),
          )
          await this.#elements(message.newElement, change, flag.create)
          break
        case 'remove':
          await this.#remove(change.name, change.addresses)
          break
        default:
          this.#step(change)
      }
    }
  }

  /**
   * Adding before deleting: what is not there, or has just expired, does not make the kernel refuse the
   * batch. It costs nothing, while a transaction that fails takes 16 ms.
   */
  async #remove(name: string, addresses: readonly string[]): Promise<void> {
    const named = { name, elements: addresses.map((address) => ({ address, endsAt: null })) }
    await this.#elements(message.newElement, named, flag.create)
    await this.#elements(message.deleteElement, named, 0)
  }

  async #elements(kind: number, { name, elements }: Named, flags: number, anew = false): Promise<void> {
    for (let at = 0; at < elements.length; at += elementsEach) {
      const some = elements.slice(at, at + elementsEach)
      this.#add({ message: kind, flags, attributes: (out) => writeElements(out, name, some, this.#now, anew) })
      this.#inOneGo += some.length
      if (this.#inOneGo > elementsInOneGo) {
        await otherWork()
        this.#inOneGo = 0
      }
    }
  }

  #step(step: Exclude<Change, { do: 'create' | 'put' | 'renew' | 'remove' }>): void {
    const add = (kind: number, flags: number, attributes: Message['attributes']) =>
      this.#add({ message: kind, flags, attributes })
    switch (step.do) {
      case 'add-table':
        return add(message.newTable, 0, writeTable)
      case 'delete-table':
        return add(message.deleteTable, 0, writeTableName)
      case 'add-chain':
        return add(message.newChain, flag.create, writeChain)
      case 'flush-chain':
        return add(message.deleteRule, 0, writeRulePlace)
      case 'delete-set':
        return add(message.deleteSet, 0, (out) => writeSetName(out, step.name))
      case 'add-set':
        return this.#addSet(step.name, step.key)
      case 'add-rule':
        return this.#addRule(step)
    }
  }

  #addSet(name: string, { family }: SetKey): void {
    const id = ++this.#lastId
    const shape = { type: keyTypeOf(family), bytes: bitsOf(family) / 8, flags: setFlag.timeout, size: this.#size }
    this.#add({ message: message.newSet, flags: flag.create, attributes: (out) => writeSet(out, name, id, shape) })
  }

  #addRule({ name, key, protocol }: Extract<Step, { do: 'add-rule' }>): void {
    // The kernel makes a name of it; until then the id finds the set.
    const portSet = { set: '__set%d', id: ++this.#lastId }
    if (key.ports.ports.length > 1) this.#addPortSet(portSet.set, portSet.id, key.ports)
    const flags = flag.create | flag.append
    this.#add({
      message: message.newRule,
      flags,
      attributes: (out) => {
        writeRulePlace(out)
        writeExpressions(out, attribute.rule.expressions, expressionsOf(name, key, protocol, portSet))
      },
    })
  }

  #addPortSet(name: string, id: number, { ports }: WirePorts): void {
    const flags = setFlag.anonymous | setFlag.constant
    const shape = { type: keyType.port, bytes: 2, flags, size: ports.length }
    this.#add({ message: message.newSet, flags: flag.create, attributes: (out) => writeSet(out, name, id, shape) })
    this.#add({
      message: message.newElement,
      flags: flag.create,
      attributes: (out) => {
        writeElementsPlace(out, name)
        out.number(attribute.elements.setId, id)
        out.nest(attribute.elements.list, () => ports.forEach((port) => writePort(out, port)))
      },
    })
  }
}

interface Named {
  readonly name: string
  readonly elements: readonly Element[]
}

interface SetShape {
  readonly type: number
  readonly bytes: number
  readonly flags: number
  readonly size: number
}

function writeElements(
  out: MessageWriter,
  name: string,
  elements: readonly Element[],
  now: number,
  anew: boolean,
): void {
  writeElementsPlace(out, name)
  out.nest(attribute.elements.list, () => {
    // Whole seconds, as nft gives and shows them.
    for (const { address, endsAt } of elements) {
      out.address(address, endsAt === null ? null : secondsLeft(endsAt, now) * 1000, anew)
    }
  })
}

/** What names a set in a message about its elements. */
export function writeElementsPlace(out: MessageWriter, name: string): void {
  out.text(attribute.elements.table, table.name)
  out.text(attribute.elements.set, name)
}

function writePort(out: MessageWriter, port: number): void {
  const value = Uint8Array.of(port >> 8, port & 0xff)
  out.nest(attribute.list.element, () => {
    out.nest(attribute.element.key, () => out.bytes(attribute.data.value, value))
  })
}

const writeTableName = (out: MessageWriter) => out.text(attribute.table.name, table.name)

function writeTable(out: MessageWriter): void {
  writeTableName(out)
  out.number(attribute.table.flags, 0)
}

function writeChain(out: MessageWriter): void {
  out.text(attribute.chain.table, table.name)
  out.text(attribute.chain.name, chain.name)
  out.text(attribute.chain.type, chain.type)
  out.number(attribute.chain.policy, policyNumber[chain.policy])
  out.nest(attribute.chain.hook, () => {
    out.number(attribute.hook.number, hookNumber[chain.hook])
    out.number(attribute.hook.priority, chain.prio)
  })
}

function writeRulePlace(out: MessageWriter): void {
  out.text(attribute.rule.table, table.name)
  out.text(attribute.rule.chain, chain.name)
}

function writeSetName(out: MessageWriter, name: string): void {
  out.text(attribute.set.table, table.name)
  out.text(attribute.set.name, name)
}

function writeSet(out: MessageWriter, name: string, id: number, { type, bytes, flags, size }: SetShape): void {
  writeSetName(out, name)
  out.number(attribute.set.flags, flags)
  out.number(attribute.set.keyType, type)
  out.number(attribute.set.keyLength, bytes)
  out.number(attribute.set.id, id)
  out.nest(attribute.set.describes, () => out.number(attribute.setDescription.size, size))
  out.bytes(attribute.set.userData, userData)
}
