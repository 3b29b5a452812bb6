import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePrefix, type Prefix } from '../../../core/address.ts'
import type { Ban, LogPosition } from '../../../core/events.ts'
import type { Logger } from '../../../core/plugin.ts'
import { openStore, type Store, type StoreOptions } from '../../../core/store/store.ts'

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

export function position(path: string, offset: number): LogPosition {
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

/** A store whose clock stands half an hour after `start`. */
export function storeAt(path: string, more: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore({ path, log: silent, now: () => start + hour / 2, positionsWaitMs: 5, ...more })
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

/** Runs `body` with the path of a store in a folder of its own. */
export async function inStateFolder(body: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-store-'))
  try {
    await body(join(folder, 'state', 'bailiff.db'), folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
