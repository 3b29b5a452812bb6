/** Which files a plugin of a package may have the agent read for it: those that its manifest names, and its own. */
import { join, normalize } from 'node:path/posix'
import { isPattern, PathPattern } from '../intake/path-pattern.ts'
import type { HostRights } from './host-command.ts'
import type { Question } from './messages.ts'

type Follow = Extract<Question, { readonly ask: 'follow' | 'follow-matching' }>

/** What it asks for and may not, for people; null: it may. Throws a BailiffError for a pattern that is none. */
export function notToFollow(
  asked: Follow,
  { manifest, stateFolder }: Pick<HostRights, 'manifest' | 'stateFolder'>,
): string | null {
  if (manifest === null) return null
  const { read = [], write = [] } = manifest.capabilities.files ?? {}
  const own = [manifest.folder, ...(stateFolder === null ? [] : [stateFolder])].map((folder) => join(folder, '/'))
  const granted = [...read, ...write, ...own]
  const text = asked.ask === 'follow' ? asked.path : asked.pattern
  const isGranted = (path: string) => granted.some((one) => one === path || (one.endsWith('/') && path.startsWith(one)))
  const meant =
    asked.ask === 'follow' || !isPattern(text)
      ? [normalize(text)]
      : [...new PathPattern(text).roots().keys()].map((folder) => join(folder, '/'))
  return meant.every(isGranted) ? null : `it may not have ${text.slice(0, 200)} read`
}
