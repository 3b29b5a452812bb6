/** Modules that do what a matcher must not, each with what is to be said of it. They are given lines of 20 bytes. */
import { field } from '../../../core/wasm-matcher/abi.ts'
import { answerAt, answerOf, answers, code, isDone, record, type MadeModule } from './made-module.ts'

export interface BadModule {
  readonly name: string
  readonly made: MadeModule
  readonly says: string
}

/** 20 bytes with the newline. */
export const badLine = 'x|1|DENY|192.0.2.77'

const good = { [field.lineEnd]: 19, [field.addressStart]: 9, [field.addressEnd]: 19 }

function answering(words: Readonly<Record<number, number>>, time?: number): MadeModule {
  return { scan: [...isDone, ...answers], data: [answerOf([record({ ...good, ...words }, time)])] }
}

/** What finds the address in a line by itself. */
export const goodModule = answering({})

/** Those whose answers are out of bounds, or that fail, as soon as they are given a line. */
export const answeringBadly: readonly BadModule[] = [
  { name: 'address-outside', made: answering({ [field.addressEnd]: 200 }), says: 'the address from byte 9 to 200' },
  { name: 'address-backwards', made: answering({ [field.addressEnd]: 3 }), says: 'the address from byte 9 to 3' },
  { name: 'no-address', made: answering({ [field.addressEnd]: 9 }), says: 'an address of no bytes, at byte 9' },
  { name: 'user-outside', made: answering({ [field.userEnd]: 4_000_000_000 }), says: 'the user from byte 0 to' },
  { name: 'date-outside', made: answering({ [field.dateStart]: 20, [field.dateEnd]: 30 }), says: 'the date from' },
  { name: 'session-outside', made: answering({ [field.sessionEnd]: 20 }), says: 'the session from byte 0 to 20' },
  { name: 'line-outside', made: answering({ [field.lineEnd]: 90_000 }), says: 'a line from byte 0 to 90000' },
  { name: 'half-a-line', made: answering({ [field.lineStart]: 5 }), says: 'a line from byte 5 to 19, which is none' },
  { name: 'line-too-short', made: answering({ [field.lineEnd]: 10 }), says: 'which is none' },
  { name: 'rule-outside', made: answering({ [field.rule]: 70_000 }), says: 'it answered rule 70000' },
  { name: 'time-negative', made: answering({}, -1), says: 'the time -1' },
  { name: 'time-endless', made: answering({}, Infinity), says: 'the time Infinity' },
  { name: 'time-far', made: answering({}, 1e18), says: 'the time 1000000000000000000' },
  {
    name: 'line-twice',
    made: { scan: [...isDone, ...answers], data: [answerOf([record(good), record(good)])] },
    says: 'the line at byte 0 twice',
  },
  {
    name: 'countless-records',
    made: { scan: [...isDone, ...answers], data: [answerOf([], -1)] },
    says: 'it answered 4294967295 records',
  },
  { name: 'goes-nowhere', made: { scan: answers }, says: 'it wants to go on at byte 0 of' },
  {
    name: 'goes-too-far',
    made: { scan: [...code.number(answerAt), ...code.number(99_999), ...code.store(4), ...answers] },
    says: 'it wants to go on at byte 99999 of',
  },
  { name: 'answer-outside', made: { scan: code.number(-8) }, says: 'its answer lies at 4294967288' },
  { name: 'answer-nowhere', made: { scan: code.number(0) }, says: 'its answer lies at 0' },
  { name: 'answer-crooked', made: { scan: code.number(answerAt + 1) }, says: 'on a border of 8' },
  { name: 'buffer-outside', made: { buffer: code.number(-16) }, says: 'at 4294967280, outside its memory' },
  { name: 'no-room', made: { buffer: code.number(0) }, says: 'it has no room for' },
  { name: 'traps', made: { scan: code.trap }, says: 'it failed in bailiff_scan: unreachable' },
  {
    name: 'reads-outside',
    made: { scan: [...code.number(-4), ...code.load(0), ...code.drop, ...answers] },
    says: 'it failed in bailiff_scan: memory access out of bounds',
  },
  {
    name: 'calls-itself',
    made: { scan: [...code.number(0), ...code.call(0)], buffer: [...code.number(0), ...code.call(0)] },
    says: 'Maximum call stack',
  },
  {
    // Grows by 100 pages at a time; where that fails it stops with all that it may have.
    name: 'grows',
    made: {
      scan: [0x03, 0x40, ...code.number(1), ...code.grow, ...code.number(-1), 0x47, 0x0d, 0, 0x0b, ...code.trap],
    },
    says: '(it has used up its 64 MiB of memory)',
  },
]

/** Those that never come back. */
export const endless: readonly BadModule[] = [
  { name: 'loops', made: { scan: [...code.forever, ...answers] }, says: 'it was stopped, for it came to no end' },
  {
    name: 'loops-for-a-buffer',
    made: { buffer: [...code.forever, ...answers] },
    says: 'it was stopped, for it came to no end',
  },
]

/** Those that cannot be started. */
export const unstartable: readonly BadModule[] = [
  { name: 'answers-another-version', made: { abiFunction: code.number(7) }, says: 'it was made for version 7 of the' },
  { name: 'traps-at-start', made: { start: code.trap }, says: 'it cannot be started: it failed while it started' },
  {
    name: 'loops-at-start',
    made: { start: code.forever },
    says: 'it cannot be started: it was stopped, for it came to no end',
  },
  {
    name: 'data-outside',
    made: { data: [{ at: 70_000_000, bytes: Buffer.alloc(4) }] },
    says: 'it cannot be started: it failed while it started',
  },
]
