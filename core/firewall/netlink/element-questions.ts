/**
 * Asks the kernel for elements by their keys, many at once: a look-up in a hash for each, while a list
 * begins from the start for each piece of it.
 */
import { setImmediate as otherWork } from 'node:timers/promises'
import type { Element } from '../table-changes.ts'
import { attribute, errno, family, message, subsystem } from './kernel-numbers.ts'
import { attributeOf, readAddresses, verdictOf, type InMessage } from './messages-in.ts'
import { NetlinkError, type NetlinkSocket, type Query } from './socket.ts'
import { writeElementsPlace } from './table-messages.ts'

/** Keys in one request. The kernel answers them in order, a message each, and goes no further than the first that is missing. */
const keysEach = 16
/** Keys asked for in one go: some milliseconds, and their answers fit into the socket with room to spare. */
const keysAtOnce = 512
/** The kernel counts from when it got the element, and whole seconds. */
const toleranceMs = 5000

/**
 * Those of the elements that the set does not hold, or holds with another end; all of them where there
 * is no such set. Throws `NetlinkError`.
 */
export async function lackingElements<Each extends Element>(
  socket: NetlinkSocket,
  set: string,
  elements: readonly Each[],
): Promise<Each[]> {
  const lacking: Each[] = []
  for (let at = 0; at < elements.length; at += keysAtOnce) {
    if (at > 0) await otherWork()
    const some = elements.slice(at, at + keysAtOnce)
    const answered = (element: Each, answer: InMessage | null) => {
      if (answer === null || !holds(answer, element)) lacking.push(element)
    }
    for (let open = questionsOf(some); open.length > 0;) open = ask(socket, set, open, answered)
  }
  return lacking
}

/** The element of that address, with its end; null where the set does not hold it. Throws `NetlinkError`. */
export function heldElement(socket: NetlinkSocket, set: string, address: string): Element | null {
  let held: Element | null = null
  ask(socket, set, [[{ address, endsAt: null }]], (_, answer) => {
    const list = answer && attributeOf(answer, attribute.elements.list)
    for (const { address: found, leftMs } of list ? readAddresses(list) : [])
      if (found === address) held = { address, endsAt: leftMs === null ? null : performance.now() + leftMs }
  })
  return held
}

/** Asks the questions, tells each answer (null: there is no such element), and gives what the kernel left off in the middle. */
function ask<Each extends Element>(
  socket: NetlinkSocket,
  set: string,
  questions: readonly (readonly Each[])[],
  answered: (element: Each, answer: InMessage | null) => void,
): Each[][] {
  const rest: Each[][] = []
  const told = new Uint16Array(questions.length)
  const queries = questions.map((elements) => queryOf(set, elements))
  socket.ask(queries, (place, answer) => {
    const elements = questions[place] ?? []
    const at = told[place] ?? 0
    const element = elements[at]
    const verdict = verdictOf(answer)
    if (verdict !== null && verdict.errno !== errno.missing) throw new NetlinkError(verdict.errno, verdict.text)
    if (element !== undefined) answered(element, verdict === null ? answer : null)
    told[place] = at + 1
    const more = at + 1 < elements.length
    if (more && verdict !== null) rest.push(elements.slice(at + 1))
    return !more || verdict !== null
  })
  return rest
}

function questionsOf<Each>(elements: readonly Each[]): Each[][] {
  const questions: Each[][] = []
  for (let at = 0; at < elements.length; at += keysEach) questions.push(elements.slice(at, at + keysEach))
  return questions
}

function queryOf(set: string, elements: readonly Element[]): Query {
  const attributes: Query['attributes'] = (out) => {
    writeElementsPlace(out, set)
    out.nest(attribute.elements.list, () => {
      for (const { address } of elements) out.address(address, null)
    })
  }
  return { subsystem: subsystem.nftables, message: message.getElement, family: family.inet, attributes }
}

/** Whether the answer is this element with this end. */
function holds(answer: InMessage, { address, endsAt }: Element): boolean {
  const list = attributeOf(answer, attribute.elements.list)
  if (list === undefined) return false
  for (const found of readAddresses(list)) {
    if (found.address !== address) return false
    if (endsAt === null || found.leftMs === null) return endsAt === found.leftMs
    return Math.abs(performance.now() + found.leftMs - endsAt) <= toleranceMs
  }
  return false
}
