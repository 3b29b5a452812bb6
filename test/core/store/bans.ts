import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePrefix, type Prefix } from '../../../core/address.ts'
import type { Ban, CountedFailures, FilePosition, LogCursor } from '../../../core/events.ts'
import type { Logger } from '../../../core/plugin.ts'
import { openStore, type Held, type Store, type StoreOptions } from '../../../core/store/store.ts'

/** A time that all tests share: bans begin here. */
export const start = 1_800_000_000_000
const hour = 3600_000

export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text)
  if (parsed === null) throw new Error(`${text} is no prefix`)
  return parsed
}

/** A ban of one hour that begins at `start`. */
export function ban(text: string, more: Partial<Ban> = {}): Ban {
  return {
    prefix: prefix(text),
    jail: 'sshd',
    ports: { protocol: 'tcp', ports: [22] },
    since: start,
    until: start + hour,
    count: 1,
    failures: 5,
    lines: ['Failed password for root \\x1b', 'ünïcode'],
    ...more,
  }
}

export function cursor(path: string, text: string, named = start): LogCursor {
  return { path, cursor: text, named }
}

export function position(path: string, offset: number): FilePosition {
  return {
    path,
    device: '65024',
    inode: '18446744073709551615',
    birth: '1795356785199429495',
    headHash: 'hash',
    headLength: 1024,
    offset,
    insideLine: offset % 2 === 1,
  }
}

/** Counted failures that only the store looks at: one byte, said often. */
export function entries(byte: number): CountedFailures {
  return { jails: [['sshd']], entries: new Uint8Array(64).fill(byte) }
}

/** What an agent without bans and counters holds, but for what is given. */
export function holding(more: Partial<Held>): Held {
  return {
    bans: () => [],
    counted: () => null,
    everything: () => [],
    kept: () => [],
    positions: () => [],
    restored: () => {},
    ...more,
  }
}

/** A store whose clock stands half an hour after `start`. */
export function storeAt(path: string, more: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore({ path, log: silent, now: () => start + hour / 2, waitMs: 5, ...more })
}

/** Opens the store, does something with it, and closes it. */
export async function withStore<T>(
  path: string,
  body: (store: Store) => Promise<T> | T,
  more: Partial<StoreOptions> = {},
): Promise<T> {
  const store = await storeAt(path, more)
  try {
    return await body(store)
  } finally {
    await store.close()
  }
}

/** Opens a copy of what lies on the disk now, as a process that was killed would leave it. */
export async function withCopy<T>(path: string, body: (store: Store) => Promise<T> | T): Promise<T> {
  const copy = `${path}-copy`
  for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, copy + end)
  try {
    return await withStore(copy, body)
  } finally {
    for (const end of ['', '-wal']) rmSync(copy + end, { force: true })
  }
}

/** Runs `body` with the path of a store in a folder of its own. */
export async function inStateFolder(body: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-store-'))
  try {
    await body(join(folder, 'state', 'bailiff.db'), folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Writes rubbish into a file. */
export function overwrite(path: string, from: number, length: number): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, Buffer.alloc(length, 0xa5), 0, length, from)
  closeSync(fd)
}

/** Waits until the fact holds, for 10 s at most. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('waited in vain')
}

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
