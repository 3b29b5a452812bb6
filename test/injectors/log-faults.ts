/** What happens to logs: each fault is one step that the writer takes between lines. */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** A log as its writer sees it. */
export interface WrittenLog {
  readonly path: string
  /** Appends to the log as the writer has it open: by its path, or in a file it has not let go of. */
  append(text: string): void
}

export interface LogFault {
  /** How often it happens. */
  readonly everyMs: number
  /** Lines written; one every 2 ms unless `lineEveryMs` says otherwise. */
  readonly lines: number
  readonly lineEveryMs?: number
  /** The share of lines that may be lost: only where they stand nowhere any more. */
  readonly allowedLoss?: number
  /** Whether lines stand nowhere any more soon after they were written: then it is a matter of milliseconds. */
  readonly perishable?: true
  /** Whether the log itself is a link, made before the agent starts. */
  readonly link?: true
  /** The agent is stopped for so long again and again, so that several steps lie between two looks. */
  readonly stallMs?: number
  /** What stands in the log when the agent starts. */
  readonly head?: string
  /** The step, the how-manieth from 1. It may write lines of its own with `line`. */
  step(log: WrittenLog, number: number, line: () => string): void | Promise<void>
}

const sameHead = '# a head that is always the same, longer than what tells files apart\n'.repeat(20)

/** All faults, by name. */
export const logFaults: Readonly<Record<string, LogFault>> = {
  'rename + create': { everyMs: 50, lines: 1000, step: ({ path }) => (rotate(path), writeFileSync(path, '')) },
  'rename, nothing created': { everyMs: 50, lines: 1000, step: ({ path }) => rotate(path) },
  'rename + create, the agent stands still': {
    everyMs: 50,
    lines: 1000,
    stallMs: 300,
    step: ({ path }) => (rotate(path, 60), writeFileSync(path, '')),
  },
  'rename, the writer goes on in the old file': {
    everyMs: 100,
    lines: 1000,
    step: ({ path }, _, line) => lingering(path, line),
  },
  'rename to names with dates': {
    everyMs: 100,
    lines: 600,
    step: ({ path }, number) => (renameSync(path, `${path}-${20_260_100 + number}`), writeFileSync(path, '')),
  },
  'rename into another folder': {
    perishable: true,
    everyMs: 100,
    lines: 600,
    step: ({ path }, number) => intoFolder(path, `auth.log.${number}`),
  },
  'rename, compressed at the second rotation': {
    perishable: true,
    everyMs: 100,
    lines: 600,
    step: ({ path }) => delayCompress(path),
  },
  'copytruncate, the copy stays': { everyMs: 50, lines: 1000, step: ({ path }) => copyTruncate(path) },
  'copytruncate, the copy stays, the agent stands still': {
    everyMs: 100,
    lines: 1000,
    stallMs: 250,
    step: ({ path }) => copyTruncate(path),
  },
  'copytruncate, the copy goes elsewhere': {
    perishable: true,
    everyMs: 50,
    lines: 1000,
    allowedLoss: 0.005,
    step: async ({ path }, number) => {
      // Another process than the writer does it, so at any time between two lines.
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random()))
      copyFileSync(path, join(folderBeside(path), `copy.${number}`))
      truncateSync(path)
    },
  },
  'truncated and written anew with the same head': {
    everyMs: 200,
    lines: 600,
    lineEveryMs: 20,
    head: sameHead,
    step: ({ path }, _, line) => rewrite(path, line),
  },
  'delete + create': { everyMs: 1000, lines: 400, lineEveryMs: 10, step: ({ path }) => unlinkSync(path) },
  'delete + create, quickly': { perishable: true, everyMs: 50, lines: 1000, step: ({ path }) => unlinkSync(path) },
  'a link is pointed elsewhere': {
    everyMs: 1000,
    lines: 400,
    lineEveryMs: 10,
    link: true,
    step: ({ path }, number) => point(path, `${basename(path)}.target-${number}`),
  },
  'the folder is made again': {
    everyMs: 1000,
    lines: 400,
    lineEveryMs: 10,
    step: ({ path }) => (rmSync(dirname(path), { recursive: true }), mkdirSync(dirname(path))),
  },
  'the file is missing for a while': {
    everyMs: 1000,
    lines: 400,
    lineEveryMs: 10,
    step: async ({ path }) => {
      rotate(path)
      await new Promise((resolve) => setTimeout(resolve, 400))
    },
  },
  'a FIFO for two seconds': {
    everyMs: 1000,
    lines: 300,
    lineEveryMs: 10,
    step: async ({ path }, number) => {
      if (number > 1) return
      rotate(path)
      execFileSync('mkfifo', [path])
      await new Promise((resolve) => setTimeout(resolve, 2000))
      unlinkSync(path)
    },
  },
  'a line cut in two': { everyMs: 20, lines: 600, step: (log, _, line) => inPieces(log, line()) },
  'half a line, then a rotation': {
    everyMs: 100,
    lines: 600,
    step: (log) => {
      // The disk was full, or the writer died: this is no line, and its address is cut.
      log.append('2026-01-01T00:00:00Z host app[7]: failure of somebody from 192.0.2.1')
      rotate(log.path)
    },
  },
}

/** logrotate's: each older file gets the next number. */
function rotate(path: string, keep = 9, from = 1): void {
  for (let number = keep; number >= from; number--) {
    const name = number === 1 ? path : `${path}.${number - 1}`
    if (existsSync(name)) renameSync(name, `${path}.${number}`)
  }
}

function copyTruncate(path: string): void {
  if (!existsSync(path)) return
  rotate(path, 40, 2)
  copyFileSync(path, `${path}.1`)
  truncateSync(path)
}

function lingering(path: string, line: () => string): void {
  const old = openSync(path, 'a')
  rotate(path)
  writeFileSync(path, '')
  for (let i = 0; i < 10; i++) appendFileSync(old, line())
  closeSync(old)
}

function intoFolder(path: string, name: string): void {
  renameSync(path, join(folderBeside(path), name))
  writeFileSync(path, '')
}

function folderBeside(path: string): string {
  const folder = join(dirname(dirname(path)), 'old')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** logrotate with `compress` and `delaycompress`: the newest rotated file stays plain for one turn. */
function delayCompress(path: string): void {
  for (let number = 9; number >= 2; number--) {
    const name = `${path}.${number}.gz`
    if (existsSync(name)) renameSync(name, `${path}.${number + 1}.gz`)
  }
  if (existsSync(`${path}.1`)) {
    writeFileSync(`${path}.2.gz`, gzipSync(readFileSync(`${path}.1`)))
    unlinkSync(`${path}.1`)
  }
  renameSync(path, `${path}.1`)
  writeFileSync(path, '')
}

function point(link: string, target: string): void {
  writeFileSync(join(dirname(link), target), '')
  rmSync(`${link}.new`, { force: true })
  symlinkSync(target, `${link}.new`)
  renameSync(`${link}.new`, link)
}

async function inPieces({ append }: WrittenLog, line: string): Promise<void> {
  const ends = [line.length - 9, line.length - 3, line.length - 1, line.length]
  for (const [index, end] of ends.entries()) {
    append(line.slice(ends[index - 1] ?? 0, end))
    await new Promise((resolve) => setTimeout(resolve, 4))
  }
}

/** At once longer than it was, and with lines in other places: only what stands before the old end tells. */
async function rewrite(path: string, line: () => string): Promise<void> {
  // What was written last is to be read first: it will stand nowhere any more.
  await new Promise((resolve) => setTimeout(resolve, 150))
  const { size } = statSync(path)
  let text = sameHead
  while (text.length <= size) text += line()
  writeFileSync(path, text)
}
